/** A log must not be signed: what the database holds contradicts what was signed. The message is for operators. */
export class SigningRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SigningRefused';
  }
}
