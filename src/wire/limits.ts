/**
 * What is held in memory of one answer, at most. An answer past a limit is given up as
 * `upstream_too_large`; docs/explanation/streams-and-time.md has the table for people.
 */

/** One event or line of a stream: an image or a long tool call fits, an endless line does not. */
export const largestEvent: number = 16 * 1024 * 1024;

/** A whole answer: 2048 vectors of 3072 numbers in base64, the most that OpenAI's own gives, are 34 MB. */
export const largestAnswer: number = 40 * 1024 * 1024;

/** Text, calls and log probabilities of an answer that is put together from its stream. */
export const largestAssembled: number = 16 * 1024 * 1024;

/** What is held of a stream before its first meaningful event. */
export const largestOpening: number = 1024 * 1024;

/** What may come before it, comments and all: a whole answer fits, since some servers send one for a stream. */
export const largestPreamble: number = largestAnswer + largestOpening;

/** How much of an error's body is read; what stands behind is not looked at. */
export const largestError: number = 256 * 1024;

/** Choices of one answer, and calls of tools. */
export const mostParts = 1024;

/** Something of an answer is larger than the gateway holds; the words say what. */
export class TooLarge extends Error {}
