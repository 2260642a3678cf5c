import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/**
 * Who may import whom at run time (docs/architecture.md). `only` limits what a room may take of another;
 * every room may use the testkit, and what its tests need, as a development dependency.
 */
const mayDependOn: Record<string, readonly string[]> = {
  'packages/contract': [],
  'packages/tlog': [],
  'packages/core': ['contract', 'tlog'],
  'packages/server': ['contract', 'core', 'tlog'],
  'packages/client': ['contract', 'tlog'],
  'packages/testkit': ['contract'],
  'services/api': ['contract', 'core', 'server', 'tlog'],
  scripts: ['client', 'contract', 'server', 'tlog'],
  test: [],
  'test/bench': ['api', 'client', 'contract', 'core', 'tlog'],
};

/** What tests, and types alone, may add. */
const mayDevelopWith: Record<string, readonly string[]> = {
  'packages/contract': [],
  'packages/tlog': [],
  'packages/core': ['testkit'],
  'packages/server': ['testkit'],
  'packages/client': ['core', 'server', 'testkit'],
  'packages/testkit': [],
  'services/api': ['client', 'testkit'],
  scripts: ['core', 'testkit'],
  test: ['api', 'client', 'contract', 'core', 'scripts', 'server', 'testkit', 'tlog'],
  'test/bench': [],
};

interface Manifest {
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

const rooms = [
  ...['packages', 'services'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  ),
  'scripts',
  'test',
  'test/bench',
];

test('every room is in the table, and the table names no other', () => {
  expect(rooms.toSorted()).toEqual(Object.keys(mayDependOn).toSorted());
});

test.each(rooms)('%s declares only the rooms that it may import', (room) => {
  const manifest = JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8')) as Manifest;
  expect(roomsIn(manifest.dependencies).filter((name) => !mayDependOn[room]?.includes(name))).toEqual([]);
  expect(roomsIn(manifest.devDependencies).filter((name) => !mayDevelopWith[room]?.includes(name))).toEqual(
    [],
  );
});

test.each(rooms)('the code of %s imports only what its manifest declares for it', (room) => {
  const manifest = JSON.parse(readFileSync(join(root, room, 'package.json'), 'utf8')) as Manifest;
  const files = readdirSync(join(root, room, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts'));
  expect(sources.length).toBeGreaterThan(0);
  for (const file of sources) {
    const forTests = /\.test\.ts$|(^|\/)testing\.ts$/.test(file) || room === 'test';
    const allowed = roomsIn({ ...manifest.dependencies, ...(forTests && manifest.devDependencies) });
    for (const { name, typeOnly } of importsIn(readFileSync(join(root, room, 'src', file), 'utf8'))) {
      const permitted =
        allowed.includes(name) || (typeOnly && roomsIn(manifest.devDependencies).includes(name));
      expect(permitted, `${room}/src/${file} imports @annals/${name}`).toBe(true);
    }
  }
});

test('no room reaches into another by a relative path', () => {
  for (const room of rooms) {
    for (const file of readdirSync(join(root, room, 'src'), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const depth = file.split('/').length;
      const climb = '../'.repeat(depth);
      const text = readFileSync(join(root, room, 'src', file), 'utf8');
      expect(text.includes(`from '${climb}`), `${room}/src/${file} leaves its room`).toBe(false);
    }
  }
});

function roomsIn(dependencies: Record<string, string> = {}): string[] {
  return Object.keys(dependencies)
    .filter((name) => name.startsWith('@annals/'))
    .map((name) => name.slice('@annals/'.length));
}

function importsIn(source: string): { name: string; typeOnly: boolean }[] {
  const found = source.matchAll(
    /^(?:import|export)\s+(type\s)?[^;]*?from\s+'@annals\/([a-z-]+)(?:\/[a-z-]+)*'/gm,
  );
  return [...found].map((match) => ({ name: match[2] ?? '', typeOnly: match[1] !== undefined }));
}
