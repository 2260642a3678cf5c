/**
 * The cryptography that this package stands on, behind `#platform`: node:crypto where the import
 * condition `node` holds, @noble everywhere else. Both give the same answer to every input.
 */
export interface Platform {
  /** SHA-256 (FIPS 180-4), 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** The 32-byte public key of a 32-byte seed (RFC 8032, section 5.1.5). */
  ed25519PublicKey(seed: Uint8Array): Uint8Array;
  /** The 64-byte signature of a message (RFC 8032, section 5.1.6). */
  ed25519Sign(message: Uint8Array, seed: Uint8Array): Uint8Array;
  /**
   * Whether a signature holds (RFC 8032, section 5.1.7), by the equation without cofactor and the exact
   * bytes of R, as OpenSSL and Go check it. False for keys and signatures of any other form and for points of
   * small order; never throws.
   */
  ed25519Verify(signed: SignedMessage): boolean;
}

export interface SignedMessage {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly publicKey: Uint8Array;
}
