import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { platform as chosen } from '#platform';
import { concatBytes } from '../bytes.ts';
import { turnBit } from '../testing.ts';
import { platform as node } from './node.ts';
import type { SignedMessage } from './platform.ts';
import { platform as portable } from './portable.ts';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const nearly = (length: number) =>
  fc.oneof(fc.uint8Array({ minLength: length, maxLength: length }), fc.uint8Array({ maxLength: 80 }));
const message = fc.uint8Array({ maxLength: 200 });

test('Node gets its own cryptography', () => {
  expect(chosen).toBe(node);
});

test('nothing that a browser loads is of Node', () => {
  const source = resolve(import.meta.dirname, '..');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const loaded = files.filter(
    (file) => /(?<!\.test|(^|\/)testing)\.ts$/.test(file) && file !== 'platform/node.ts',
  );
  expect(loaded).toContain('platform/portable.ts');
  for (const file of loaded) {
    expect(readFileSync(join(source, file), 'utf8'), file).not.toMatch(/'node:|\bBuffer\b|\bprocess\./);
  }
});

describe('both platforms agree byte for byte', () => {
  test('on hashes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const hash = node.sha256(bytes);
        expect(portable.sha256(bytes)).toEqual(hash);
        expect(Object.getPrototypeOf(hash)).toBe(Uint8Array.prototype);
      }),
    );
  });

  test('on public keys and signatures', () => {
    fc.assert(
      fc.property(bytes32, message, (seed, message) => {
        const publicKey = node.ed25519PublicKey(seed);
        expect(portable.ed25519PublicKey(seed)).toEqual(publicKey);
        const signature = node.ed25519Sign(message, seed);
        expect(portable.ed25519Sign(message, seed)).toEqual(signature);
        expect(bothVerify({ message, signature, publicKey })).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('on the first vector of RFC 8032', () => {
    const seed = hex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    const publicKey = hex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(node.ed25519PublicKey(seed)).toEqual(publicKey);
    const signature = node.ed25519Sign(new Uint8Array(), seed);
    expect(Buffer.from(signature).toString('hex')).toMatch(/^e5564300c360ac729086e2cc806e828a.*100b$/);
    expect(bothVerify({ message: new Uint8Array(), signature, publicKey })).toBe(true);
  });

  test('on signatures with a bit turned, which neither accepts', () => {
    fc.assert(
      fc.property(bytes32, message, fc.nat(511), (seed, message, bit) => {
        const publicKey = node.ed25519PublicKey(seed);
        const signature = node.ed25519Sign(message, seed);
        expect(bothVerify({ message, signature: turnBit(signature, bit), publicKey })).toBe(false);
        expect(bothVerify({ message, signature, publicKey: turnBit(publicKey, bit % 256) })).toBe(false);
        expect(bothVerify({ message: Uint8Array.of(...message, 1), signature, publicKey })).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test('on keys and signatures of any bytes and any length', () => {
    fc.assert(
      fc.property(nearly(32), nearly(64), message, (publicKey, signature, message) => {
        bothVerify({ message, signature, publicKey });
      }),
    );
  });

  test('on points of small order in any encoding, which neither accepts', () => {
    for (const publicKey of oddPoints) {
      for (const r of oddPoints) {
        for (let counter = 0; counter < 16; counter += 1) {
          const signature = concatBytes([r, new Uint8Array(32)]);
          expect(bothVerify({ message: Uint8Array.of(counter), signature, publicKey })).toBe(false);
        }
      }
    }
  });

  test('on a nonce of nothing, which neither accepts', () => {
    const { Point } = ed25519;
    const identity = Point.ZERO.toBytes();
    const publicKey = Point.BASE.multiply(5n).toBytes();
    const digest = sha512(concatBytes([identity, publicKey]));
    const k = digest.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) % Point.Fn.ORDER;
    const signature = concatBytes([identity, Point.Fn.toBytes((k * 5n) % Point.Fn.ORDER)]);
    expect(bothVerify({ message: new Uint8Array(), signature, publicKey })).toBe(false);
  });

  test('on keys and nonces with a part of small order, where verifiers are known to differ', () => {
    const { Point } = ed25519;
    const order = Point.Fn.ORDER;
    const torsion = oddPoints.flatMap((bytes) => decode(bytes)).filter((point) => !point.is0());
    const verdicts = new Set<boolean>();
    for (const [at, small] of torsion.entries()) {
      for (const mixed of ['key', 'nonce', 'both']) {
        const secret = 12_345n + BigInt(at);
        const nonce = 67_890n + BigInt(at);
        const a = mixed === 'nonce' ? Point.BASE.multiply(secret) : Point.BASE.multiply(secret).add(small);
        const r = mixed === 'key' ? Point.BASE.multiply(nonce) : Point.BASE.multiply(nonce).add(small);
        const message = Uint8Array.of(at);
        const digest = sha512(concatBytes([r.toBytes(), a.toBytes(), message]));
        const k = digest.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) % order;
        const signature = concatBytes([r.toBytes(), Point.Fn.toBytes((nonce + k * secret) % order)]);
        verdicts.add(bothVerify({ message, signature, publicKey: a.toBytes() }));
      }
    }
    expect(verdicts).toEqual(new Set([true, false]));
  });

  test('on scalars that are not reduced, which neither accepts', () => {
    const seed = new Uint8Array(32).fill(7);
    const message = Uint8Array.of(1, 2, 3);
    const signature = node.ed25519Sign(message, seed);
    const s = signature.subarray(32).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    let larger = s + ed25519.Point.Fn.ORDER;
    const unreduced = Uint8Array.from({ length: 32 }, () => {
      const byte = Number(larger & 255n);
      larger >>= 8n;
      return byte;
    });
    const publicKey = node.ed25519PublicKey(seed);
    expect(
      bothVerify({ message, signature: concatBytes([signature.subarray(0, 32), unreduced]), publicKey }),
    ).toBe(false);
  });
});

function bothVerify(signed: SignedMessage): boolean {
  const verdict = node.ed25519Verify(signed);
  expect(portable.ed25519Verify(signed), JSON.stringify(signed)).toBe(verdict);
  return verdict;
}

/** The encodings of the points of order 1, 2, 4 and 8, with y beyond the field's order and either sign. */
const oddPoints: readonly Uint8Array[] = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].flatMap((text) => [hex(text), turnBit(hex(text), 255)]);

function decode(bytes: Uint8Array) {
  try {
    return [ed25519.Point.fromBytes(bytes)];
  } catch {
    return [];
  }
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
