import type { StartReport } from '../contract/start-report.ts';
import { type Running, start } from '../main.ts';
import { StartRefused } from '../ops/start-refused.ts';
import { milliseconds } from '../plan/ids.ts';
import {
  type Command,
  configOption,
  defineCommand,
  exitCode,
  jsonOption,
  lenientOption,
  portRange,
  stateOption,
} from './command.ts';
import { fail } from './fail.ts';
import { printJson } from './print-json.ts';
import { renderStart } from './start-screen.ts';
import type { Terminal } from './terminal.ts';

/** How long a person waits for the first states of the providers; a script does not wait at all. */
const statesWaitMs = milliseconds(1500);

/** `signalbox up`: starts the gateway and serves until it is told to stop. */
export const command: Command = defineCommand({
  words: ['up'],
  summary: 'start the gateway',
  details: [
    'Without a config it serves the model servers that run on this machine, and a built-in echo where none does.',
    'It never sends a request to a model by itself. SIGTERM or Ctrl-C lets running answers finish; a second one ends at once.',
  ],
  options: {
    config: configOption,
    port: {
      kind: 'number',
      value: 'PORT',
      short: 'p',
      whole: portRange,
      help: 'port to listen on (default: 4000, or the config’s)',
    },
    host: { kind: 'text', value: 'HOST', help: 'address to listen on (default: 127.0.0.1); wider ones need a key' },
    discover: { kind: 'flag', negatable: true, help: 'do not look for model servers where there is no config' },
    lenient: lenientOption,
    'state-dir': stateOption,
    json: jsonOption,
  },
  examples: [
    { line: 'signalbox up', does: 'serve ./config, or what runs here' },
    { line: 'signalbox up --config litellm_config.yaml --lenient', does: 'serve a LiteLLM file' },
    { line: 'signalbox up --port 4001 --no-discover', does: 'serve the echo on another port' },
  ],
  async run({ options }, terminal) {
    try {
      const running = await start({
        ...(options.config === undefined ? {} : { config: options.config }),
        ...(options.host === undefined ? {} : { host: options.host }),
        ...(options.port === undefined ? {} : { port: options.port }),
        ...(options['state-dir'] === undefined ? {} : { stateFolder: options['state-dir'] }),
        discover: options.discover,
        lenient: options.lenient,
        environment: terminal.environment,
        folder: terminal.folder,
        log: logOptions(terminal),
      });
      await announce(running, terminal, options.json);
      return await serveUntilTold(running, terminal);
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error;
      return fail(error, terminal, options);
    }
  },
});

/** The journal keeps lines by itself; a file beside it would be the same twice. */
function logOptions(terminal: Terminal): Parameters<typeof start>[0]['log'] {
  const isJournal = terminal.environment['JOURNAL_STREAM'] !== undefined && !terminal.watched;
  return {
    output: {
      write: (bytes, done) => terminal.write(bytes, done),
      style: terminal.watched ? 'pretty' : 'json',
      colour: terminal.colour,
    },
    file: !isJournal,
  };
}

async function announce(running: Running, terminal: Terminal, json: boolean): Promise<void> {
  if (terminal.watched) terminal.progress('asking the providers how they are …');
  const report: StartReport = await running.report(terminal.watched ? statesWaitMs : milliseconds(0));
  terminal.progress(undefined);
  if (json) printJson<'up'>(terminal, report);
  else for (const line of renderStart(report, terminal)) terminal.err(line);
}

function serveUntilTold(running: Running, terminal: Terminal): Promise<number> {
  return new Promise((resolve) => {
    let isStopping = false;
    terminal.onSignal(() => {
      if (isStopping) {
        void running.cut().then(() => resolve(exitCode.done));
        return;
      }
      isStopping = true;
      // A terminal has just shown ^C on this line.
      if (terminal.watched) terminal.err('');
      terminal.err('Stopping: running answers may finish; the same signal again ends at once');
      void running.stop().then(() => resolve(exitCode.done));
    });
  });
}
