import { AnnalsError } from '@annals/contract';

/** A log must not be signed: what the database holds contradicts what was signed. The message is for operators. */
export class SigningRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SigningRefused';
  }
}

/** Why a log must not be signed, in a sentence; throws again what is no reason but a failure. */
export function reasonOfRefusal(error: unknown): string {
  if (error instanceof SigningRefused) return error.message;
  // A file of the signer that cannot be used.
  if (error instanceof AnnalsError && error.code === 'invalid_input') return error.message;
  throw error;
}
