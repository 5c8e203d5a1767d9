/** The same model under Ollama's other spelling: with `:latest` where the name has none, without where it has it. */
export function otherSpelling(name: string): string {
  return name.endsWith(latest) ? name.slice(0, -latest.length) : `${name}${latest}`;
}

const latest = ':latest';
