import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { renderApi } from './docs/render-api.ts';

const docs = resolve(import.meta.dirname, '../../docs');

test('docs/api.md says what the contract says', async () => {
  await expect(renderApi()).toMatchFileSnapshot(resolve(docs, 'api.md'));
});
