/**
 * Who may import whom, a sentence a rule. dependency-cruiser holds it in `npm run check`; a new
 * edge is a reviewed change to this file.
 */

/** Room → the rooms that it may import besides itself; `types` only for what has no value at run time. */
export const rooms = {
  plan: { may: [], why: 'the nouns know nobody' },
  contract: { may: ['plan'], why: 'shapes for screens and scripts are made of the nouns' },
  wire: { may: ['plan'], why: 'codecs turn bytes into nouns and back' },
  config: { may: ['plan'], why: 'files are compiled to a plan, and nothing runs while they are' },
  routing: { may: ['plan'], why: 'decisions are made of values alone' },
  analysis: {
    may: ['routing', 'contract', 'plan'],
    why: 'what was and what would have been is worked out of records, and only decide() chooses',
  },
  providers: { may: ['wire', 'plan'], why: 'a dialect builds and reads with the codecs and opens no socket' },
  stores: { may: ['plan'], why: 'a store keeps bytes and does not know what they mean' },
  telemetry: { may: ['plan'], why: 'lines are written of nouns, by nobody’s leave' },
  gateway: {
    may: ['routing', 'wire', 'plan', 'telemetry', 'providers', 'stores'],
    why: 'the data plane asks routing and speaks through the dialects’ interface',
  },
  control: {
    may: ['config', 'gateway', 'routing', 'analysis', 'telemetry', 'contract', 'plan', 'providers', 'stores'],
    why: 'control runs the gateway and watches the providers',
  },
  ops: {
    may: ['analysis', 'config', 'contract', 'plan', 'wire'],
    why: 'what people do to a system is code without a screen',
  },
  cli: {
    may: ['ops', 'config', 'contract', 'plan', 'main'],
    why: 'the command line shows what ops and main give',
  },
  main: {
    may: [
      'plan',
      'contract',
      'wire',
      'config',
      'routing',
      'analysis',
      'providers',
      'stores',
      'telemetry',
      'gateway',
      'control',
      'ops',
    ],
    why: 'the one composition root',
  },
};

const pathOf = (room) => (room === 'main' ? '^src/main\\.ts$' : `^src/${room}/`);

const directions = Object.entries(rooms).map(([room, { may, why }]) => ({
  name: `${room}-imports`,
  comment: `${room} may import ${may.length === 0 ? 'no other room' : may.join(', ')}: ${why}`,
  severity: 'error',
  from: { path: pathOf(room), pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: [pathOf(room), ...may.map(pathOf)] },
}));

/** Rooms that hold values and functions only: no clock, files, sockets or processes. */
const pure = ['plan', 'contract', 'wire', 'routing', 'analysis', 'providers'];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...directions,
    {
      name: 'no-cycles',
      comment: 'two files that import each other are one file, or the wrong two',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true },
    },
    {
      name: 'pure-rooms',
      comment: `${pure.join(', ')} have no outside effects`,
      severity: 'error',
      from: { path: pure.map(pathOf), pathNot: '\\.test\\.ts$' },
      to: {
        path: '^(?:node:)?(?:fs|net|http|https|tls|child_process|worker_threads|dgram|dns|timers|process|os)(?:/|$)',
      },
    },
    {
      name: 'gateway-knows-interfaces',
      comment: 'the gateway and control know the interface of dialects, main.ts hands them in',
      severity: 'error',
      from: { path: ['^src/gateway/', '^src/control/'], pathNot: '\\.test\\.ts$' },
      to: { path: '^src/providers/', pathNot: '^src/providers/provider\\.ts$' },
    },
    {
      name: 'stores-are-opened-in-one-place',
      comment: 'the gateway and control know the interfaces of stores, main.ts opens them',
      severity: 'error',
      from: { path: ['^src/gateway/', '^src/control/'], pathNot: '\\.test\\.ts$' },
      to: { path: '^src/stores/', pathNot: '^src/stores/(?:guarded-)?store\\.ts$' },
    },
    {
      name: 'gateway-reads-no-yaml',
      comment: 'the gateway never reads configuration files',
      severity: 'error',
      from: { path: '^src/gateway/' },
      to: { path: 'node_modules/yaml/' },
    },
    {
      name: 'tests-stay-out',
      comment: 'what runs never imports a test or what tests are made of',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: ['\\.test\\.ts$', '^test/', '^bench/'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
