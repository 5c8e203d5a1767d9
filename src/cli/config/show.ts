import { notesOfPeople } from '../../config/notes-of-people.ts';
import type { NoteReport, SettingList, SettingReport } from '../../contract/setting-report.ts';
import { effectiveSettings } from '../../ops/effective-settings.ts';
import type { Json } from '../../plan/json.ts';
import { type Command, configOption, defineCommand, exitCode, jsonOption, lenientOption } from '../command.ts';
import { fail, unknownName } from '../fail.ts';
import { openSystem } from '../open-system.ts';
import { printJson } from '../print-json.ts';
import { renderTable } from '../render-table.ts';
import { count, paint } from '../style.ts';
import type { Terminal } from '../terminal.ts';

/** `signalbox config show`: every setting in force with where it comes from, and what people wrote for one another. */
export const command: Command = defineCommand({
  words: ['config', 'show'],
  summary: 'show every effective setting with its source',
  details: [
    'The source is the line that decides, the environment, or the default. Secrets are named, never shown.',
    'Notes are what people wrote for one another into the files: descriptions, dates, units. Nothing executes them.',
  ],
  arguments: [
    { name: 'KEY', help: 'a setting, a section, "notes", or where a note stands: providers.ollama', required: false },
  ],
  options: { config: configOption, lenient: lenientOption, json: jsonOption },
  examples: [
    { line: 'signalbox config show', does: 'all of them' },
    { line: 'signalbox config show router_settings', does: 'one section' },
    { line: 'signalbox config show server_settings.port', does: 'one setting' },
    { line: 'signalbox config show notes', does: 'what people wrote for one another' },
  ],
  async run({ options, arguments: [asked] }, terminal) {
    const opened = await openSystem(options, terminal, { lenient: options.lenient });
    if (opened.kind === 'none') return fail(opened.problem, terminal, options);
    const all = effectiveSettings(opened.plan, opened.compiled);
    const written = notesOfPeople(opened.sources).map(
      ({ file, line, ...note }): NoteReport => ({ ...note, source: `${file}:${line}` }),
    );
    const settings = all.filter(({ key }) => asked === undefined || isWithin(key, asked) || key.endsWith(`.${asked}`));
    const notes = written.filter(({ key }) => asked === undefined || asked === 'notes' || isWithin(key, asked));
    if (settings.length === 0 && notes.length === 0 && asked !== undefined) {
      const keys = [...all, ...written].map(({ key }) => key);
      return fail(unknownName('setting', asked, keys), terminal, options);
    }
    if (options.json) printJson<'config show'>(terminal, { settings, notes });
    else for (const line of render({ settings, notes, all: asked === undefined }, terminal)) terminal.out(line);
    return exitCode.done;
  },
});

function isWithin(key: string, asked: string): boolean {
  return key === asked || key.startsWith(`${asked}.`);
}

/** Settings, and notes where they were asked for: a whole configuration holds more of them than of settings. */
function render(
  { settings, notes, all }: SettingList & { readonly all: boolean },
  terminal: Terminal,
): readonly string[] {
  const dim = (text: string): string => paint(terminal, 'dim', text);
  const rows = settings.map((one) => rowOf(one, dim));
  const lines = rows.length === 0 ? [] : renderTable(['setting', 'value', 'source'], rows, terminal);
  if (notes.length === 0) return lines;
  if (all) return [...lines, '', `${count(notes.length, 'note')} of people: signalbox config show notes`];
  const texts = notes.map(({ key, value, source }) => [key, textOf(value), source]);
  return [...lines, ...(lines.length === 0 ? [] : ['']), ...renderTable(['note', 'text', 'source'], texts, terminal)];
}

function textOf(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function rowOf({ key, value, unit, source }: SettingReport, dim: (text: string) => string): readonly string[] {
  const text = shownValue(value);
  // Words that stand for a number ("not bounded") have no unit.
  const isBare = unit === null || text === 'none' || typeof value === 'string';
  return [key, isBare ? text : `${text} ${unit}`, source === 'default' ? dim(source) : source];
}

function shownValue(value: Json): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Array.isArray(value) ? value : Object.entries(value).map(([name, part]) => `${name}: ${part}`);
  return parts.join(', ') || 'none';
}
