import { AnnalsError } from '@annals/contract';

export interface ClientOptions {
  /** Where the server listens, without `/trpc`. */
  readonly url: string;
  /** `annals_...`; left out where `fetch` leads to a server that knows its caller otherwise. */
  readonly apiKey?: string | undefined;
  /** The tenant that calls are about. Needed with a key of the deployment only; a call can name another. */
  readonly tenantId?: string | undefined;
  /** Used for everything, event streams included; the global one unless told otherwise. */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  readonly retry?: RetryOptions;
  /** How long one attempt may take; 30 s unless told otherwise. */
  readonly timeoutMs?: number | undefined;
  readonly waitingMax?: WaitingMax;
}

/** What `log` and `logMany` may have under way at once, so that a slow server does not fill the caller's memory. */
export interface WaitingMax {
  /** Activities that are not answered yet; 100,000 unless told otherwise. */
  readonly activities?: number;
  /** Their bytes as JSON; 64 MiB unless told otherwise. */
  readonly bytes?: number;
}

/** Calls that may safely be made twice are tried again when the server or the way to it fails. */
export interface RetryOptions {
  /** Attempts in all; 5 unless told otherwise, 1 never tries again. */
  readonly attemptsMax?: number;
  /** The pause before the second attempt lies between 0 and this, and doubles each time; 100 ms. */
  readonly baseMs?: number;
  /** No pause is longer, unless the server asks for one; 5 s. */
  readonly pauseMaxMs?: number;
}

export interface CallOptions {
  /** Aborting it ends the call, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** The tenant that this call is about, instead of the client's. */
  readonly tenantId?: string | undefined;
}

/** The options with nothing left open. */
export interface Settings {
  /** Of the router. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tenantId: string | undefined;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly retry: Required<RetryOptions>;
  readonly timeoutMs: number;
  readonly waitingMax: Required<WaitingMax>;
}

/** Errors: `invalid_input` for a URL or a key that cannot be one. */
export function settingsOf(options: ClientOptions): Settings {
  if (!URL.canParse(options.url) || !/^https?:/.test(options.url)) {
    throw invalid('url', 'must be an http:// or https:// URL');
  }
  const { apiKey } = options;
  // A header cannot hold everything that a text can, and fetch would quote the key in its refusal.
  if (apiKey !== undefined && !/^[\w-]+$/.test(apiKey)) throw invalid('apiKey', 'must be an API key');
  return {
    url: `${options.url.replace(/\/+$/, '')}/trpc`,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    tenantId: options.tenantId,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    retry: { attemptsMax: 5, baseMs: 100, pauseMaxMs: 5_000, ...options.retry },
    timeoutMs: options.timeoutMs ?? 30_000,
    waitingMax: { activities: 100_000, bytes: 64 * 1024 * 1024, ...options.waitingMax },
  };
}

function invalid(path: string, message: string): AnnalsError {
  return new AnnalsError({ code: 'invalid_input', message, path });
}
