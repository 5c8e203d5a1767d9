import { expect, test } from 'vitest';
import { type ClientSettings, clients } from './clients.ts';
import { editClientFile } from './write-client-file.ts';

const settings: ClientSettings = {
  baseUrl: 'http://127.0.0.1:4000/v1',
  model: 'llama3.1:latest',
  models: ['llama3.1:latest', 'qwen2.5-coder:7b'],
  keyNeeded: true,
};

function edit(id: string, before: string | undefined): string {
  const file = clients.find((client) => client.id === id)?.file;
  if (file === undefined) throw new Error(`${id} has no file`);
  const edited = editClientFile(file.format, before, file.content(settings));
  return edited.kind === 'edited' ? edited.text : `refused: ${edited.reason}`;
}

test('spine 4: connect keeps comments and other models of a Continue config', () => {
  const before =
    '# mine\nname: Work\nversion: 2.0.0\nschema: v1\nmodels:\n  - name: Other # keep\n    provider: ollama\n    model: x\n';
  const after = edit('continue', before);
  expect(after).toContain('# mine');
  expect(after).toContain('name: Work');
  expect(after).toContain('- name: Other # keep');
  expect(after).toContain('- name: Signalbox llama3.1:latest');
  expect(edit('continue', after)).toBe(after);
});

test('spine 4: connect keeps other settings of an opencode config, and writes no key', () => {
  const after = edit('opencode', '{"theme":"dark","provider":{"other":{"name":"Other"}}}');
  expect(JSON.parse(after)).toMatchObject({
    theme: 'dark',
    provider: { other: { name: 'Other' }, signalbox: { options: { apiKey: '{env:SIGNALBOX_API_KEY}' } } },
  });
  expect(edit('opencode', after)).toBe(after);
});

test.each([
  ['opencode', '{ // comment\n}', 'refused: it is not plain JSON'],
  ['continue', 'a: [', 'refused: it is not valid YAML'],
  ['continue', '- a\n', 'refused: its root is not a map'],
  ['codex', 'notes = """\nmodel = 1\n"""\n', 'refused: it has texts over several lines'],
])('spine 4: connect leaves a file alone that it cannot edit safely: %s %j', (id, before, wanted) => {
  expect(edit(id, before)).toContain(wanted);
});

test('spine 4: connect keeps the rest of a Codex config, and replaces what is its own', () => {
  const before =
    '# mine\nmodel = "x"\n\n[tools]\nweb = true\n\n[model_providers.signalbox]\nname = "old"\n\n[profiles.a]\nmodel = "y"\n';
  const after = edit('codex', before);
  expect(after).toBe(
    'model_provider = "signalbox"\n# mine\nmodel = "llama3.1:latest"\n\n[tools]\nweb = true\n\n' +
      '[model_providers.signalbox]\nname = "Signalbox"\nbase_url = "http://127.0.0.1:4000/v1"\n' +
      'wire_api = "responses"\nenv_key = "SIGNALBOX_API_KEY"\n\n[profiles.a]\nmodel = "y"\n',
  );
  expect(edit('codex', after)).toBe(after);
});

test('spine 4: connect makes a new file where there is none', () => {
  expect(edit('codex', undefined)).toBe(
    'model = "llama3.1:latest"\nmodel_provider = "signalbox"\n\n[model_providers.signalbox]\nname = "Signalbox"\n' +
      'base_url = "http://127.0.0.1:4000/v1"\nwire_api = "responses"\nenv_key = "SIGNALBOX_API_KEY"\n',
  );
  expect(edit('aider', undefined)).toBe('openai-api-base: http://127.0.0.1:4000/v1\nmodel: openai/llama3.1:latest\n');
});
