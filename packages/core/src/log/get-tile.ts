import { AnnalsError, type TileInput } from '@annals/contract';
import { parseTilePath, type TileResource, TlogError } from '@annals/tlog';
import { read } from '../activity/read.ts';
import type { Verb } from '../context.ts';
import { newestLog } from './newest-log.ts';
import { readBundle } from './read-bundle.ts';
import { readTiles } from './read-tiles.ts';

/**
 * A tile of the tenant's log, or a bundle of its entries, by its path of C2SP tlog-tiles. A partial one may be
 * that of a smaller log.
 *
 * Returns its bytes. Errors  `invalid_input` for a text that is no such path; `not_found` where the log has not
 * grown so far, and for a bundle of which a record has been purged.
 */
export async function getTile({ ctx, input }: Verb<TileInput>): Promise<Uint8Array> {
  const { kind, ...place } = parsePath(input.path);
  const bytes = await read(ctx, async (tx) => {
    const epoch = input.epoch ?? (await newestLog(tx))?.epoch;
    if (epoch === undefined) return undefined;
    if (!('level' in place)) return readBundle(tx, { epoch, ...place });
    return (await readTiles(tx, { epoch }, [place])).values().next().value;
  });
  if (bytes) return bytes;
  const message =
    kind === 'tile' ? 'the log has no such tile' : 'the log has no such bundle, or not any more';
  throw new AnnalsError({ code: 'not_found', message, path: 'path' });
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
