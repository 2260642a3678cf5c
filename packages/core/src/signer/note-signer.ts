/**
 * One Ed25519 key that signs checkpoints. The key itself may lie elsewhere, as in a key management service:
 * nothing here asks for it.
 */
export interface NoteSigner {
  /** 32 bytes (RFC 8032). The same key signs every log of a deployment, under the origin of each. */
  readonly publicKey: Uint8Array;
  /** The 64 bytes of the Ed25519 signature of the UTF-8 bytes of a text. */
  sign(text: string): Promise<Uint8Array>;
}

/** The keys of a deployment. */
export interface SignerKeys {
  /** Begins the origin of every log; it never changes, since auditors know the logs by it. */
  readonly logName: string;
  /** Those that sign now, the oldest first; asked before each round, so that a rotation needs no restart. */
  readonly active: readonly NoteSigner[];
  /** Public keys that signed earlier and no longer do. */
  readonly retired: readonly Uint8Array[];
}

/** All that sign or signed. */
export function publicKeysIn({ active, retired }: Pick<SignerKeys, 'active' | 'retired'>): Uint8Array[] {
  return [...active.map(({ publicKey }) => publicKey), ...retired];
}
