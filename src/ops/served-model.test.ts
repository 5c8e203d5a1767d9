import { expect, test } from 'vitest';
import { servedModel } from './served-model.ts';

test.each<
  [what: string, type: string, listed: readonly string[] | null, model: string, state: string, served: string | null]
>([
  ['another id than the declared one', 'llama_cpp', ['gemma.gguf'], 'gemma', 'ready', 'gemma.gguf'],
  ['though it cools', 'llama_cpp', ['gemma.gguf'], 'gemma', 'cooling', 'gemma.gguf'],
  ['nothing where the id is the same', 'llama_cpp', ['gemma'], 'gemma', 'ready', null],
  ['nor but for its tag', 'llama_cpp', ['gemma:latest'], 'gemma', 'ready', null],
  ['nor before a probe', 'llama_cpp', null, 'gemma', 'unknown', null],
  ['nor of a server that lists nothing', 'llama_cpp', [], 'gemma', 'ready', null],
  ['nor of a router that lacks it', 'llama_cpp', ['other'], 'gemma', 'missing', null],
  ['nor of a router at rest', 'llama_cpp', ['other', 'more'], 'gemma', 'draining', null],
  ['nor of whatever name is asked', 'llama_cpp', ['other'], '*', 'ready', null],
  ['nor of a server that takes names which it does not list', 'openai_compatible', ['other'], 'gemma', 'ready', null],
])('6: what is served under a declared name: %s', (_what, type, listed, model, state, served) => {
  expect(servedModel({ type, listed }, { model, state })).toBe(served);
});
