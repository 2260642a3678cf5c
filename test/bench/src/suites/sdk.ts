import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type OutputChunk, rolldown } from 'rolldown';
import { type Row, rowOf } from '../row.ts';
import type { Suite } from '../suite.ts';

/** What a program loads that makes a client and calls it, without zod: as bundled for browsers, minified, gzipped. */
export const sdk: Suite = async () => {
  const core = await bundledSize([]);
  const withoutStack = await bundledSize([/^@trpc\//, /^superjson/]);
  return [
    sizeRow('SDK core', core, { of: 'ours', atMost: 10 }),
    sizeRow('SDK core, without tRPC and superjson', withoutStack),
  ];
};

function sizeRow(name: string, bytes: number, target?: Row['target']): Row {
  return rowOf({ name, unit: 'kB gzip', ...(target && { target }) }, [{ ours: bytes / 1_000 }]);
}

const entry = 'sdk-core';

async function bundledSize(left: readonly RegExp[]): Promise<number> {
  const client = fileURLToPath(import.meta.resolve('@annals/client'));
  const bundle = await rolldown({
    input: { [entry]: entry },
    external: [/^zod/, ...left],
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
    const { output } = await bundle.generate({ format: 'es', minify: true });
    const chunks = output.filter((part) => part.type === 'chunk');
    return atOnce(chunks).reduce((sum, { code }) => sum + gzipSync(code).length, 0);
  } finally {
    await bundle.close();
  }
}

/** Those that the entry imports, without what it loads when it is needed. */
function atOnce(chunks: readonly OutputChunk[]): OutputChunk[] {
  const found = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const chunk of found) {
    for (const other of chunks) if (chunk.imports.includes(other.fileName)) found.add(other);
  }
  return [...found];
}
