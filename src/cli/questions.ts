import { createInterface } from 'node:readline/promises';
import type { Terminal } from './terminal.ts';

/** Questions to a person at a terminal. */
export type Questions = {
  /** An answer of yes or no; Return alone takes the usual one. */
  readonly yes: (question: string, usual: boolean) => Promise<boolean>;
  close(): void;
};

/** Opens a conversation; ask only where `terminal.interactive`. */
export function openQuestions(terminal: Pick<Terminal, 'input'>): Questions {
  const questions = createInterface({ input: terminal.input, output: process.stdout });
  return {
    async yes(question, usual) {
      const answer = (await questions.question(`${question} ${usual ? '[Y/n]' : '[y/N]'} `)).trim().toLowerCase();
      return answer === '' ? usual : answer.startsWith('y');
    },
    close: () => questions.close(),
  };
}
