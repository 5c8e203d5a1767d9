import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { start } from '../../src/main.ts';
import { hold, startFakeUpstream } from '../support/fake-upstream.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { runCommand } from '../support/terminal.ts';
import { until } from '../support/until.ts';

test('4.1: status shows who waits and what is loading for them; why shows the wait', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-queue-'));
  const upstream = await startFakeUpstream(['m', 'n']);
  const { behaviour, release } = hold();
  upstream.script(behaviour);
  mkdirSync(join(folder, 'config'));
  writeFileSync(
    join(folder, 'config/providers.yaml'),
    JSON.stringify({
      providers: {
        a: { type: 'openai_compatible', base_url: upstream.url, models: ['m', 'n'], exclusive_group: 'card' },
      },
    }),
  );
  const clock = createManualClock();
  const output = { write: () => {}, style: 'json', colour: false } as const;
  const running = await start({
    folder,
    port: 0,
    discover: false,
    environment: {},
    clock,
    log: { output, file: false },
  });
  const ask = (model: string): Promise<Response> =>
    fetch(`${running.address.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }] }),
    });
  const status = async (): Promise<string> => (await runCommand(['status'], { folder })).out;
  try {
    const first = ask('m');
    await upstream.received(1);
    await clock.advance(6000);
    const second = ask('n');
    const shows = (line: string): Promise<true> => until(line, async () => (await status()).includes(line));
    await shows('a  n, 1 waiting for 0 ms');
    await clock.advance(2000);
    await release();
    await first;
    await upstream.received(2);
    const third = ask('n');
    await upstream.received(3);
    const fourth = ask('m');
    await shows('a  m, 1 waiting for 0 ms');
    await clock.advance(3000);
    await shows('a  loading n, 3.0 s, 0 waiting');
    for (const _one of [second, third]) await release();
    await Promise.all([second, third]);
    await upstream.received(4);
    await release();
    await fourth;
    const why = await until('the record', async () => {
      const text = (await runCommand(['why'], { folder })).out;
      return text.includes('waited') && text;
    });
    expect(why).toMatch(/^waited {4}3\.0 s for a seat at a\/m, as number 1/m);
  } finally {
    await running.cut();
    await upstream.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
