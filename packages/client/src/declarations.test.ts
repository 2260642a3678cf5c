import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../..');
const dist = resolve(import.meta.dirname, '../dist');

/** The declarations that somebody who imports the package reads, by file, and the packages that they name. */
function readPublicTypes(): { files: Map<string, string>; packages: Set<string> } {
  const files = new Map<string, string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    const text = readFileSync(file, 'utf8');
    files.set(file, text);
    for (const [, name = ''] of text.matchAll(/(?:from |import\()["']([^"']+)["']/g)) {
      if (name.startsWith('.')) visit(resolve(file, '..', name.replace(/\.(?:ts|js)$/, '.d.ts')));
      else packages.add(name);
    }
  };
  visit(resolve(dist, 'index.d.ts'));
  return { files, packages };
}

test('the public types come from the contract alone, never from the server or what it is made of', () => {
  // Whether everything compiles is for another check to say; declarations are written in any case.
  const tsc = resolve(root, 'node_modules/typescript/bin/tsc');
  spawnSync(process.execPath, [tsc, '-b', 'packages/client'], { cwd: root });
  const { files, packages } = readPublicTypes();
  expect([...packages]).toEqual(['@annals/contract']);
  expect(files.size).toBeGreaterThan(3);
  const code = [...files.values()].map((text) => text.replaceAll(/\/\*[^]*?\*\//g, ''));
  for (const text of code) expect(text).not.toMatch(/router|trpc|mikro|kysely|superjson/i);
});
