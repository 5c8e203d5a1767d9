import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each([
  ['statuss', ['status', 'models', 'base_url'], ['status']],
  ['modles', ['status', 'models', 'base_url'], ['models']],
  ['model-nam', ['model-name', 'gone:7b'], ['model-name']],
  ['llama3.1:8b', ['llama3.1:latest', 'qwen2.5-coder:7b'], ['llama3.1:latest']],
  ['LLAMA3.1', ['llama3.1:latest', 'other'], ['llama3.1:latest']],
  ['xyz', ['status'], []],
])('1.1: nearest(%s) among %j', (name, known, wanted) => {
  expect(nearest(name, known)).toEqual(wanted);
});
