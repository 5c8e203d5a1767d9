/** Controls, one with the colour that it may begin; and what reverses or breaks a line. */
const steering = /\p{Cc}(\[[\d;]*m)?|[\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Lines as a terminal may show them. Names and messages come from clients and servers, so what would
 * steer the terminal stands as its code; line ends, tabs and colours are our own.
 */
export function printable(lines: string): string {
  return lines.replace(steering, (found, colour: string | undefined) => {
    const isOurs = found[0] === '\n' || found[0] === '\t' || (found[0] === '\u001b' && colour !== undefined);
    return isOurs ? found : `${codeOf(found)}${colour ?? ''}`;
  });
}

/** The same for a value within a line, which begins no other and has no colour of its own. */
export function inOneLine(value: string): string {
  return value.replace(steering, (found, colour: string | undefined) => `${codeOf(found)}${colour ?? ''}`);
}

function codeOf(found: string): string {
  return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
