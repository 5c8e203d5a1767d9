/** Families of specialties: words of the files that mean one kind of work. */
const families: Readonly<Record<string, string>> = {
  general: 'general',
  general_chat: 'general',
  chat: 'general',
  conversational: 'general',
  code: 'code',
  code_generation: 'code',
  coding: 'code',
  creative: 'creative',
  creative_writing: 'creative',
  reasoning: 'reasoning',
  advanced_reasoning: 'reasoning',
};

/** The one word of a specialty's family. */
export function canonicalSpecialty(word: string | undefined): string | undefined {
  if (word === undefined) return undefined;
  const plain = word.toLowerCase().replaceAll('-', '_');
  return families[plain] ?? plain;
}

/** The family that a pool's or capability's own name speaks of, such as `creative-tasks`; undefined where it names none. */
export function specialtyInName(name: string): string | undefined {
  return families[
    name
      .toLowerCase()
      .replaceAll('-', '_')
      .replace(/_tasks?$/, '')
  ];
}
