import { type Code, emitModule, i32, local, repeatWhile, vector } from './wasm-emitter.ts';

/** Messages that are hashed at once: a vector holds the same word of each. */
export const lanes = 4;
export const blockBytes = 64;
const wordBytes = 4;

const firstPrimes = primes(64);
/** FIPS 180-4, section 4.2.2: the first 32 bits behind the point of the cube roots of primes. */
const roundConstants = firstPrimes.map((prime) => fraction(Math.cbrt(prime)));
/** FIPS 180-4, section 5.3.3: the same of square roots. */
const initialHash = firstPrimes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

/** From here on the memory is the caller's; the round constants stand before. */
export const freeFrom = roundConstants.length * wordBytes;

// The function's parameters, by their number: where messages are, the blocks of each, where hashes go.
const messages = [0, 1, 2, 3];
const blocks = 4;
const outputs = [5, 6, 7, 8];
/** Where the constants of the next 16 rounds stand. */
const constants = 9;
const parameters = 10;
// Its vectors: the message schedule, the hash, the working variables a to h, and rows on their way.
const schedule = numbersFrom(10, 16);
const hash = numbersFrom(26, 8);
const working = numbersFrom(34, 8);
const rows = numbersFrom(42, 4);
const vectors = 36;

/**
 * The module of `hash(message0..3, blocks, output0..3, 0)`: SHA-256 (FIPS 180-4, section 6.2) of four messages
 * that are padded to the same number of blocks. Addresses need no alignment. The hashes are written when all
 * has been read, so that they may stand where the messages stood.
 */
export function sha256x4Module(pages: number): Uint8Array<ArrayBuffer> {
  const body = [
    ...hash.flatMap((variable, at) => local.set(variable, splat(initialHash[at] as number))),
    ...repeatWhile(local.get(blocks), compressBlock()),
    ...storeHashes(),
  ];
  const data = roundConstants.flatMap((word) => [0, 8, 16, 24].map((bits) => (word >>> bits) & 255));
  return emitModule({ pages, data, name: 'hash', parameters, vectors, body });
}

function compressBlock(): Code {
  return [
    ...loadSchedule(),
    ...messages.flatMap((address) => increase(address, blockBytes)),
    ...working.flatMap((variable, at) => local.set(variable, get(hash, at))),
    ...local.set(constants, i32.constant(0)),
    ...repeatWhile(i32.notEqual(local.get(constants), i32.constant(freeFrom)), [
      ...numbersFrom(0, 16).flatMap(round),
      // Once too often, after the last rounds: that is cheaper than code that leaves it out.
      ...numbersFrom(0, 16).flatMap(extendSchedule),
      ...increase(constants, 16 * wordBytes),
    ]),
    ...hash.flatMap((variable, at) => local.set(variable, vector.add(local.get(variable), get(working, at)))),
    ...increase(blocks, -1),
  ];
}

/** FIPS 180-4, section 6.2.2, step 3. Instead of moving all variables on, each round calls them by other names. */
function round(at: number): Code {
  const [a, b, c, d, e, f, g, h] = working.map((_, name) => working[(name - at) & 7]) as Eight;
  const constant = vector.loadSplat(local.get(constants), at * wordBytes);
  return [
    ...local.set(h, sum(local.get(h), upperSigma1(e), choose(e, f, g), constant, get(schedule, at))),
    ...local.set(d, sum(local.get(d), local.get(h))),
    ...local.set(h, sum(local.get(h), upperSigma0(a), majority(a, b, c))),
  ];
}

type Eight = [number, number, number, number, number, number, number, number];

/** FIPS 180-4, section 6.2.2, step 1: the word of 16 rounds later takes the place of this one. */
function extendSchedule(at: number): Code {
  const word = (offset: number) => schedule[(at + offset) % 16] as number;
  return local.set(
    word(0),
    sum(local.get(word(0)), lowerSigma0(word(1)), local.get(word(9)), lowerSigma1(word(14))),
  );
}

// FIPS 180-4, section 4.1.2.
const choose = (e: number, f: number, g: number) => vector.select(local.get(f), local.get(g), local.get(e));
const majority = (a: number, b: number, c: number) =>
  vector.select(local.get(c), local.get(b), vector.xor(local.get(a), local.get(b)));
const upperSigma0 = (x: number) => xor3(rotate(x, 2), rotate(x, 13), rotate(x, 22));
const upperSigma1 = (x: number) => xor3(rotate(x, 6), rotate(x, 11), rotate(x, 25));
const lowerSigma0 = (x: number) => xor3(rotate(x, 7), rotate(x, 18), vector.shiftRight(local.get(x), 3));
const lowerSigma1 = (x: number) => xor3(rotate(x, 17), rotate(x, 19), vector.shiftRight(local.get(x), 10));

const rotate = (x: number, bits: number) =>
  vector.or(vector.shiftRight(local.get(x), bits), vector.shiftLeft(local.get(x), 32 - bits));
const xor3 = (a: Code, b: Code, c: Code) => vector.xor(vector.xor(a, b), c);
const sum = (first: Code, ...others: readonly Code[]) => others.reduce(vector.add, first);

/** Sixteen words of each message, so that each vector of the schedule has one word of all four. */
function loadSchedule(): Code {
  return [0, 4, 8, 12].flatMap((word) => [
    ...rows.flatMap((row, lane) => local.set(row, vector.load(get(messages, lane), word * wordBytes))),
    ...transposed(rows).flatMap((column, at) => local.set(schedule[word + at] as number, swapBytes(column))),
  ]);
}

function storeHashes(): Code {
  return [0, 4].flatMap((word) =>
    transposed(hash.slice(word, word + 4)).flatMap((column, lane) =>
      vector.store(get(outputs, lane), swapBytes(column), word * wordBytes),
    ),
  );
}

/** The columns of four rows of four words, as expressions. */
function transposed(from: readonly number[]): Code[] {
  const pair = (first: number, order: readonly number[]) =>
    shuffleWords(get(from, first), get(from, first + 1), order);
  return [
    { pairs: [0, 4, 1, 5], half: [0, 1, 4, 5] },
    { pairs: [0, 4, 1, 5], half: [2, 3, 6, 7] },
    { pairs: [2, 6, 3, 7], half: [0, 1, 4, 5] },
    { pairs: [2, 6, 3, 7], half: [2, 3, 6, 7] },
  ].map(({ pairs, half }) => shuffleWords(pair(0, pairs), pair(2, pairs), half));
}

function shuffleWords(a: Code, b: Code, order: readonly number[]): Code {
  return vector.shuffle(
    a,
    b,
    order.flatMap((word) => numbersFrom(word * wordBytes, wordBytes)),
  );
}

/** SHA-256 writes words with the highest byte first, WebAssembly with the lowest. */
function swapBytes(value: Code): Code {
  return vector.swizzle(value, [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12]);
}

function increase(variable: number, by: number): Code {
  return local.set(variable, i32.add(local.get(variable), i32.constant(by)));
}

function splat(word: number): Code {
  return vector.splat(i32.constant(word | 0));
}

function get(variables: readonly number[], at: number): Code {
  return local.get(variables[at] as number);
}

function numbersFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number += 1) {
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  }
  return found;
}

function fraction(root: number): number {
  return Math.floor((root % 1) * 2 ** 32);
}
