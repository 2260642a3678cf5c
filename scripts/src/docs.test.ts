import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from './cli/exit.ts';
import { createProgram } from './cli/program.ts';
import { formatNames } from './import/formats.ts';
import { transformNames } from './import/transforms.ts';

const page = (name: string) => readFile(join(import.meta.dirname, '../../docs', name), 'utf8');

test('docs/commands.md tells every command and every exit code', async () => {
  const text = await page('commands.md');
  for (const { code, meaning } of Object.values(exitCodes))
    expect(text).toContain(`| ${code} | ${meaning} |`);
  const program = createProgram(() => Promise.resolve());
  for (const command of program.commands) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${command.name()}`));
    expect(row, command.name()).toBeDefined();
    for (const sub of command.commands) expect(row).toContain(sub.name());
  }
});

test('docs/import.md tells every format and every transform', async () => {
  const text = await page('import.md');
  for (const name of formatNames) expect(text).toContain(`| \`${name}\` |`);
  for (const name of transformNames) expect(text).toMatch(new RegExp(`^\\| .*\`${name}[\`:].* \\|`, 'm'));
});

test('the example of docs/import.md is a usable mapping', async () => {
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(await page('import.md')) ?? [];
  const { parseMapping } = await import('./import/mapping.ts');
  expect(parseMapping(JSON.parse(example), 'example').format).toBe('door');
});
