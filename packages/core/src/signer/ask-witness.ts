import { limits, type PolicyWitness } from '@annals/tlog';

/** What a witness answered. */
export interface WitnessResponse {
  readonly status: number;
  readonly body: Uint8Array;
}

export interface AskOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WitnessFailureOptions {
  /** It may go better at once. */
  readonly passing?: boolean;
  /** Nothing was heard of it, so that it is not worth asking about another log just now. */
  readonly unreachable?: boolean;
  readonly cause?: unknown;
}

/** Why a witness did not cosign. Messages hold neither its address nor anything that it wrote. */
export class WitnessFailure extends Error {
  readonly passing: boolean;
  readonly unreachable: boolean;

  constructor(message: string, options: WitnessFailureOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'WitnessFailure';
    this.passing = options.passing ?? false;
    this.unreachable = options.unreachable ?? false;
  }
}

/**
 * POST a request to the `add-checkpoint` of a witness (C2SP tlog-witness), and to nowhere else: redirects are not
 * followed.
 *
 * Limits  65,536 bytes of an answer.
 * Errors  `WitnessFailure`.
 */
export async function askWitness(
  witness: PolicyWitness,
  request: string,
  { timeoutMs, signal }: AskOptions,
): Promise<WitnessResponse> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const url = addressOf(witness);
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: request,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    return { status: response.status, body: await readBounded(response) };
  } catch (error) {
    if (error instanceof WitnessFailure) throw error;
    const late = timeout.aborted;
    const reason = late ? `no answer within ${timeoutMs} ms` : reasonOf(error);
    // Who was silent for so long will be so again.
    throw new WitnessFailure(reason, { passing: !late, unreachable: true, cause: error });
  }
}

function addressOf({ url = '' }: PolicyWitness): string {
  const prefix = URL.parse(url);
  const usable = prefix && /^https?:$/.test(prefix.protocol) && !prefix.username && !prefix.password;
  // A query or a fragment would swallow the path.
  if (!usable || prefix.search || prefix.hash) {
    throw new WitnessFailure('its URL is none of http or https without credentials, query and fragment');
  }
  return `${url.replace(/\/+$/, '')}/add-checkpoint`;
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > limits.witnessAnswerBytesMax) {
      throw new WitnessFailure('the answer is too long');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A code where there is one, since messages may quote the address. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'it cannot be reached';
  return `it cannot be reached (${'code' in cause ? String(cause.code) : cause.name})`;
}
