import type { ResolutionReport } from '../contract/status.ts';
import { paint } from './style.ts';
import type { Terminal } from './terminal.ts';

/** What references came to, a line each; nothing where every reference names the thing itself. */
export function renderResolutions(
  resolutions: readonly ResolutionReport[],
  terminal: Pick<Terminal, 'colour'>,
): readonly string[] {
  if (resolutions.length === 0) return [];
  const lines = resolutions.map(({ reference, names, means, why, file, line }) => {
    const behind = names.length === 0 ? '' : ` for ${some(names.map((name) => `"${name}"`))}`;
    const place = paint(terminal, 'dim', `${file}:${line}`);
    return `  "${reference}"${behind} means ${some(means)}: ${why}  ${place}`;
  });
  return ['resolved:', ...lines, ''];
}

/** As many names as a line holds. */
const shownNames = 3;

/** "a, b, c and 4 more". */
function some(names: readonly string[]): string {
  const more = names.length - shownNames;
  if (more > 1) return `${names.slice(0, shownNames).join(', ')} and ${more} more`;
  const last = names.at(-1) ?? '';
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last;
}
