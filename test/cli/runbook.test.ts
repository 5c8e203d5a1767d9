import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDesk, type Desk } from '../support/desk.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts';
import { newProvider, newRules } from '../support/runbook-blocks.ts';

/**
 * The runbooks as they are written, with the product's commands in the places of the scripts. What
 * is typed here stands in the runbook letter by letter; the ports alone are those of this run.
 */
let desk: Desk;
let upstream: FakeUpstream;
const put: Desk['put'] = (path, text) => desk.put(path, text);
const type: Desk['type'] = (line) => desk.type(line);

beforeAll(async () => {
  desk = createDesk();
  upstream = await startFakeUpstream(['model-name']);
  // What was there before: one provider, which the new one falls back to.
  put(
    'config/providers.yaml',
    'providers:\n  ollama:\n    type: ollama\n    base_url: http://127.0.0.1:1\n    status: active\n    models:\n      - name: llama3.1:8b\n',
  );
  put('config/model-mappings.yaml', '');
});
afterAll(async () => {
  await desk.clear();
  await upstream.close();
});

describe('Runbook: Adding a New Provider', () => {
  test('A1: step 1, add to providers.yaml', () => {
    const before = desk.read('config/providers.yaml');
    put('config/providers.yaml', `${before}${newProvider}`.replace('http://127.0.0.1:8002', upstream.url));
  });

  test('A2: step 2, add routing rules to model-mappings.yaml', () => {
    put('config/model-mappings.yaml', newRules);
  });

  test('A3: step 3, generate', async () => {
    expect(await type('signalbox generate')).toBe('config/litellm-unified.yaml is written\n');
    expect(await type('signalbox generate')).toBe('config/litellm-unified.yaml is up to date\n');
  });

  test('A4: step 4, validate', async () => {
    expect(await type('signalbox validate')).toContain('config is valid');
  });

  test('A5c: step 5, start again', async () => {
    await desk.restart();
    expect(await type('signalbox provider list')).toMatch(/new_provider +openai_compatible/);
  });

  test('A6a: step 6, the model appears', async () => {
    const printed = await type(
      `curl http://localhost:4000/v1/models | jq '.data[] | select(.provider == "new_provider")'`,
    );
    expect(JSON.parse(printed)).toMatchObject({ id: 'model-name', provider: 'new_provider' });
  });

  test('A6b: step 6, the completion, without a content type', async () => {
    const printed = await type(`curl -X POST http://localhost:4000/v1/chat/completions \\
  -d '{"model": "model-name", "messages": [{"role": "user", "content": "Test"}]}'`);
    expect(JSON.parse(printed)).toMatchObject({ model: 'model-name', choices: [{ message: { content: 'Hello' } }] });
  });
});

describe('Runbook: Security Hardening, Enable Authentication', () => {
  test('G1: step 1, the runbook’s own lines make a key', async () => {
    await type(`LITELLM_MASTER_KEY="sk-$(openssl rand -hex 16)"
echo "export LITELLM_MASTER_KEY='$LITELLM_MASTER_KEY'" >> ~/.bashrc`);
    expect(desk.read('.bashrc')).toMatch(/^export LITELLM_MASTER_KEY='sk-[0-9a-f]{32}'\n$/);
  });

  test('G1: step 1, and so does the product’s command', async () => {
    await type('echo "export $(signalbox key generate)" > ~/.bashrc');
    expect(desk.read('.bashrc')).toMatch(/^export LITELLM_MASTER_KEY=sk-[0-9a-f]{32}\n$/);
  });

  test('G3: step 3, restart: the key is in force, and shown nowhere', async () => {
    await desk.restart();
    expect(desk.serving()?.report.key).toEqual({ needed: true, variable: 'LITELLM_MASTER_KEY' });
    const key = desk.read('.bashrc').trim().split('=')[1] ?? 'none';
    expect(await type('signalbox status; signalbox config show; signalbox doctor; cat logs/*')).not.toContain(key);
    expect(desk.serving()?.printed()).not.toContain(key);
  });

  test('G4a: step 4, without key fails', async () => {
    const printed = await type('curl http://localhost:4000/v1/models');
    expect(JSON.parse(printed)).toMatchObject({ error: { code: 'invalid_api_key' } });
    expect(await type('curl -o /dev/null -w "%{http_code}" http://localhost:4000/v1/models')).toBe('401');
    expect(await type('curl -o /dev/null -w "%{http_code}" http://localhost:4000/health/liveliness')).toBe('200');
  });

  test('G4b: step 4, with key works', async () => {
    const printed = await type(
      '. ~/.bashrc; curl -H "Authorization: Bearer $LITELLM_MASTER_KEY" http://localhost:4000/v1/models',
    );
    expect(JSON.parse(printed)).toMatchObject({ object: 'list' });
    expect(await type('. ~/.bashrc; signalbox ask model-name Test')).toContain('Hello');
  });
});

describe('Runbook: Security Hardening, Restrict CORS', () => {
  const cors = `server_settings:
  cors:
    enabled: true
    allowed_origins:
      - "http://localhost:*"
      - "http://127.0.0.1:*"
`;
  const preflight = (origin: string): Promise<string> =>
    type(
      `curl -i -X OPTIONS http://localhost:4000/v1/chat/completions -H "Origin: ${origin}" -H "Access-Control-Request-Method: POST"`,
    );

  test.each(['config/settings.yaml', 'config/litellm-unified.yaml'])('G5, G6: step 1 in %s, step 2', async (file) => {
    const isSource = file === 'config/settings.yaml';
    if (isSource) put(file, cors);
    else {
      // The file that LiteLLM takes as well, edited by hand and started from.
      rmSync(join(desk.folder, 'config/settings.yaml'));
      await type('signalbox generate');
      const text = desk.read(file);
      put(file, /^server_settings:/m.test(text) ? text.replace(/^server_settings:\n/m, cors) : `${text}${cors}`);
      for (const source of ['providers', 'model-mappings']) rmSync(join(desk.folder, `config/${source}.yaml`));
    }
    await desk.restart();
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:3000'])
      expect(await preflight(origin), origin).toMatch(new RegExp(`^access-control-allow-origin: ${origin}\\r$`, 'im'));
    for (const origin of ['http://evil.example', 'http://localhost.evil.example:5173', 'https://localhost:5173'])
      expect(await preflight(origin), origin).not.toMatch(/access-control-allow/i);
    const blind = `curl -o /dev/null -w "%{http_code}" http://localhost:4000/v1/chat/completions -H "Origin: http://evil.example" -d '{}'`;
    expect(await type(blind)).toBe('403');
  });
});
