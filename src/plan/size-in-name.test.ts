import { expect, test } from 'vitest';
import { sizeInName } from './size-in-name.ts';

test.each<[string, number | undefined]>([
  ['llama3.1:8b', 8],
  ['vicuna-13B', 13],
  ['70B', 70],
  ['Qwen/Qwen2.5-0.5B-Instruct', 0.5],
  ['mixtral-8x7b-instruct', 56],
  ['kimi-k2:1t', 1000],
  ['qwen3-coder:480b-cloud', 480],
  ['qwen3-30b-a3b', 30],
  ['gemma3:270m', 0.27],
  ['SmolLM2-135M-Instruct', 0.135],
  ['qwen2.5-7b-instruct-1m', 7],
  ['claude-1m', undefined],
  ['glm-4.6', undefined],
  ['llama3.1', undefined],
  ['gpt-4', undefined],
  ['model-4bit', undefined],
  ['abc7b', undefined],
])('1.1: the size in %s is %s', (name, size) => expect(sizeInName(name)).toBe(size));
