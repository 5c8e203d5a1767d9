import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedFiles } from '../../scripts/reference/generated-files.ts';
import { litellmKeys } from '../../src/config/litellm/keys.ts';
import { type SettingsSection, settingDocs } from '../../src/config/litellm/setting-docs.ts';

const root = join(import.meta.dirname, '../..');

test.each(await generatedFiles())('spine 2.3, 2.5: %s is what the code says (npm run reference)', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text);
});

// The keys of the table are its sections.
const sections = Object.keys(settingDocs) as SettingsSection[];

test.each(sections)('spine 2.5: every key of %s that the reader takes is documented, and no other', (section) => {
  const taken = Object.entries(litellmKeys[section]).filter(([, { kind }]) => kind === 'executed' || kind === 'later');
  expect(Object.keys(settingDocs[section]).sort()).toEqual(taken.map(([key]) => key).sort());
});
