import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type OutputChunk, rolldown } from 'rolldown';
import { type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

/**
 * What a program loads that makes a client and logs, without zod, and what it has loaded once it has asked for
 * something: as bundled for browsers, minified, gzipped.
 */
export const sdk: Suite = async () => {
  const chunks = await bundle();
  const core = chunks.filter(({ isEntry }) => isEntry);
  const calls = chunks.filter(({ facadeModuleId }) => facadeModuleId?.endsWith('/attempt.ts'));
  if (calls.length !== 1) throw new Error('what makes calls is not loaded by itself');
  return [
    sizeRow('SDK core', sizeOf(withImports(core, chunks)), { of: 'ours', atMost: 10 }),
    sizeRow(
      'SDK core, with what the first call loads that is not log()',
      sizeOf(withImports([...core, ...calls], chunks)),
    ),
  ];
};

function sizeRow(name: string, bytes: number, target?: Row['target']): Row {
  return rowOf({ name, unit: 'kB gzip', ...(target && { target }) }, [{ ours: bytes / 1_000 }]);
}

const entry = 'sdk-core';

async function bundle(): Promise<OutputChunk[]> {
  const client = fileURLToPath(import.meta.resolve('@annals/client'));
  const build = await rolldown({
    input: { [entry]: entry },
    external: [/^zod/],
    platform: 'browser',
    resolve: { conditionNames: ['@annals/source', 'browser', 'import', 'default'] },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? `export { createAnnals } from ${JSON.stringify(client)}` : undefined),
      },
    ],
  });
  try {
    const { output } = await build.generate({ format: 'es', minify: true });
    return output.filter((part) => part.type === 'chunk');
  } finally {
    await build.close();
  }
}

/** With those that they import, without what they load when it is needed. */
function withImports(first: readonly OutputChunk[], chunks: readonly OutputChunk[]): OutputChunk[] {
  const found = new Set(first);
  for (const chunk of found) {
    for (const other of chunks) if (chunk.imports.includes(other.fileName)) found.add(other);
  }
  return [...found];
}

function sizeOf(chunks: readonly OutputChunk[]): number {
  return chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
}
