import { AnnalsError, limits } from '@annals/contract';

/** What the bodies of the calls in hand may take together. */
export interface BodyRoom {
  /** Returns what gives the room of a request back; undefined where there is too little left. */
  take(request: Request): (() => void) | undefined;
}

/**
 * Room for bodies, in bytes. However many call at once, no more is read than has room: a call takes what its
 * `content-length` says, and one that does not say takes `unknownBytes`, since most are small.
 */
export function createBodyRoom(bytesMax: number): BodyRoom {
  let taken = 0;
  return {
    take: (request) => {
      const bytes = bytesOf(request);
      // A body alone always has room.
      if (taken > 0 && taken + bytes > bytesMax) return undefined;
      taken += bytes;
      return () => {
        taken -= bytes;
      };
    },
  };
}

/** Of requests within a process, and of bodies in chunks. */
const unknownBytes = 256 * 1024;

function bytesOf({ headers, body }: Request): number {
  if (!body) return 0;
  const length = Number(headers.get('content-length') ?? unknownBytes);
  return Math.min(length, limits.callBytesMax);
}

export function noRoom(): AnnalsError {
  return new AnnalsError({ code: 'overloaded', message: 'too much is being read from others; try again' });
}
