/**
 * The id of the activity with this number, of that time: what was written, acknowledged, told and stored can then be
 * compared as numbers, of which millions take little memory.
 */
export function idOf(occurredAt: Date, serial: number): string {
  const time = occurredAt.getTime().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${serial.toString(16).padStart(12, '0')}`;
}

export function serialOf(id: string): number {
  return Number.parseInt(id.slice(-12), 16);
}

/** Whether an id is one of `idOf`: others are those of activities that Annals wrote itself. */
export function isOurs(id: string): boolean {
  return id.slice(14, 23) === '7000-8000';
}

/** A set of numbers from 0, an eighth of a byte each. */
export interface Serials {
  add(serial: number): void;
  has(serial: number): boolean;
  readonly size: number;
  /** For another process. */
  bytes(): Uint8Array;
}

export function createSerials(from: Uint8Array = new Uint8Array(1 << 16)): Serials {
  let bits = from;
  let size = from.reduce((sum, byte) => sum + bitsOf(byte), 0);
  const has = (serial: number) => ((bits[serial >> 3] ?? 0) & (1 << (serial & 7))) !== 0;
  return {
    add: (serial) => {
      if (has(serial)) return;
      const place = serial >> 3;
      if (place >= bits.length) {
        const longer = new Uint8Array(Math.max(bits.length * 2, place + 1));
        longer.set(bits);
        bits = longer;
      }
      bits[place] = (bits[place] ?? 0) | (1 << (serial & 7));
      size += 1;
    },
    has,
    get size() {
      return size;
    },
    bytes: () => bits,
  };
}

function bitsOf(byte: number): number {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
}
