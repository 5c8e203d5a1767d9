import type { Command, CommandEntry } from './command.ts';

const entry = (words: string, summary: string, load: () => Promise<{ readonly command: Command }>): CommandEntry => ({
  words: words.split(' '),
  summary,
  load: async () => (await load()).command,
});

/** Every verb, in the order in which help shows them. */
export const commands: readonly CommandEntry[] = [
  entry('up', 'start the gateway', () => import('./up.ts')),
  entry('status', 'show what runs: providers, names, key, config', () => import('./status.ts')),
  entry('init', 'write a config folder from what runs here', () => import('./init.ts')),
  entry('discover', 'list the model servers that run on this machine', () => import('./discover.ts')),
  entry('doctor', 'check every precondition, each with its fix', () => import('./doctor.ts')),
  entry('ask', 'ask a model one question and show how it was answered', () => import('./ask.ts')),
  entry('why', 'explain how a request was routed', () => import('./why.ts')),
  entry('connect', 'print or write the settings of a client for this gateway', () => import('./connect.ts')),
  entry('validate', 'check the config and show every problem with its line', () => import('./validate.ts')),
  entry('generate', 'write config/litellm-unified.yaml from the sources', () => import('./generate.ts')),
  entry('config show', 'show every effective setting with its source', () => import('./config/show.ts')),
  entry('provider list', 'list the configured providers', () => import('./provider/list.ts')),
  entry('provider show', 'show one provider with its models', () => import('./provider/show.ts')),
  entry('provider probe', 'find out what answers at a URL', () => import('./provider/probe.ts')),
  entry(
    'provider drain',
    'keep new requests from a provider, and let running ones finish',
    () => import('./provider/drain.ts'),
  ),
  entry('model list', 'list the names that clients can ask for', () => import('./model/list.ts')),
  entry('route explain', 'show where a request for a name would go, and why', () => import('./route/explain.ts')),
  entry('route stats', 'count recorded requests by provider, model and pool', () => import('./route/stats.ts')),
  entry('route simulate', 'play requests on a virtual clock', () => import('./route/simulate.ts')),
  entry('route replay', 'show which recorded requests another config would move', () => import('./route/replay.ts')),
  entry('route compare', 'compare recorded requests before and after a change', () => import('./route/compare.ts')),
  entry('route advise', 'advise on weights and strategies by recorded requests', () => import('./route/advise.ts')),
  entry('route test', 'prove by a file of tests where requests go', () => import('./route/test.ts')),
  entry(
    'strategy show',
    'show which strategy each name has, and where it is declared',
    () => import('./strategy/show.ts'),
  ),
  entry(
    'strategy set',
    'give a name another strategy, in the file that declares it',
    () => import('./strategy/set.ts'),
  ),
  entry('bench', 'measure first tokens, speed and throughput of a name', () => import('./bench.ts')),
  entry('cache stats', 'show what the response cache holds and how often it helped', () => import('./cache/stats.ts')),
  entry('cache flush', 'remove answers from the response cache', () => import('./cache/flush.ts')),
  entry('key generate', 'make a strong master key', () => import('./key/generate.ts')),
  entry('completion', 'print a completion script for a shell', async () => ({
    command: (await import('./completion.ts')).createCompletion(commands),
  })),
];
