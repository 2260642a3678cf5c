import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { renderApi } from './docs/render-api.ts';
import { renderConfiguration } from './docs/render-configuration.ts';

const docs = resolve(import.meta.dirname, '../../docs');

test('docs/api.md says what the contract says', async () => {
  await expect(renderApi()).toMatchFileSnapshot(resolve(docs, 'api.md'));
});

test('docs/configuration.md lists the settings that are validated', async () => {
  await expect(renderConfiguration()).toMatchFileSnapshot(resolve(docs, 'configuration.md'));
});
