import { decodeBase64, encodeBase64 } from '../base64.ts';
import { parseDecimal } from '../text.ts';
import { TlogError } from '../tlog-error.ts';
import { hashBytes } from '../tree/hash.ts';
import { checkInteger } from '../tree/size.ts';
import { hasControl } from './key-name.ts';

/** A log's tree at one size (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** The unique name of the log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Opaque further lines, which no witness vouches for. None is recommended. */
  readonly extensions: readonly string[];
}

/** The note text of a checkpoint: origin, size, root and extensions, each a line. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  checkInteger(size, { name: 'the size of a checkpoint' });
  if (root.length !== hashBytes) throw new TlogError('bad_checkpoint', `a root has ${hashBytes} bytes`);
  for (const line of [origin, ...extensions]) {
    if (line === '' || hasControl(line) || !line.isWellFormed()) {
      throw new TlogError(
        'bad_checkpoint',
        'a line of a checkpoint must not be empty nor hold control characters',
      );
    }
  }
  return [origin, size, encodeBase64(root), ...extensions, ''].join('\n');
}

/**
 * Read the note text of a checkpoint.
 *
 * Errors  `bad_checkpoint` for another form, `too_large` for a size beyond 2^53 - 1.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, ...more] = text.split('\n');
  if (origin === undefined || size === undefined || root === undefined || more.pop() !== '') {
    throw new TlogError('bad_checkpoint', 'a checkpoint has at least three lines, each ended by a newline');
  }
  const checkpoint = {
    origin,
    size: parseDecimal(size, { name: 'the size of a checkpoint', reason: 'bad_checkpoint' }),
    root: decodeBase64(root),
    extensions: more,
  };
  // Refuses empty lines, control characters and a root of another length.
  formatCheckpoint(checkpoint);
  return checkpoint;
}
