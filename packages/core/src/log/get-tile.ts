import { AnnalsError, type TileInput } from '@annals/contract';
import { parseTilePath, type TileResource, TlogError, tileWidth } from '@annals/tlog';
import { read } from '../activity/read.ts';
import type { Verb } from '../context.ts';
import { findCheckpoint } from './find-checkpoint.ts';
import { readBundle } from './read-bundle.ts';
import { readTiles } from './read-tiles.ts';

/**
 * A tile of the tenant's log, or a bundle of its entries, by its path of C2SP tlog-tiles. A partial one may be
 * that of a smaller log. What no checkpoint covers is not there yet: it could still come to nothing, were the
 * database restored, and caches keep what they are given here.
 *
 * Returns its bytes. Errors  `invalid_input` for a text that is no such path; `not_found`, also for a bundle of
 * which a record has been purged.
 */
export async function getTile({ ctx, input }: Verb<TileInput>): Promise<Uint8Array> {
  const resource = parsePath(input.path);
  const bytes = await read(ctx, async (tx) => {
    const { epoch, size } = await findCheckpoint(tx, { epoch: input.epoch });
    if (!isCovered(resource, size)) return undefined;
    if (resource.kind === 'entries') return readBundle(tx, { epoch, ...resource });
    return (await readTiles(tx, { epoch }, [resource])).values().next().value;
  });
  if (bytes) return bytes;
  const what = resource.kind === 'tile' ? 'such tile' : 'such bundle, or not any more';
  const message = `the log has no ${what}`;
  throw new AnnalsError({ code: 'not_found', message, path: 'path' });
}

function isCovered(resource: TileResource, size: number): boolean {
  const level = resource.kind === 'tile' ? resource.level : 0;
  return resource.index * tileWidth + resource.width <= Math.floor(size / tileWidth ** level);
}

function parsePath(path: string): TileResource {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    const message = 'must be the path of a tile or of an entry bundle, as tile/0/000 or tile/entries/000.p/7';
    throw new AnnalsError({ code: 'invalid_input', message, path: 'path' });
  }
}
