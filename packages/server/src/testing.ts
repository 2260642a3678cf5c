import { type ErrorInfo, type ProcedureName, procedures, type Scope, scopes } from '@annals/contract';
import { bootstrapKey, deploymentTenant } from '@annals/core';
import { openTestCore, type TestCore } from '@annals/core/testing';
import { deserialize, type SuperJSONResult, stringify } from 'superjson';
import { type AnnalsHandlerOptions, createAnnalsHandler } from './annals-handler.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it was sent. */
  readonly text: string;
  readonly data: unknown;
  readonly error: ErrorInfo | undefined;
}

/** For tests: the handler over a database of its own, and keys to call it with. */
export interface TestServer {
  readonly core: TestCore;
  readonly handle: (request: Request) => Promise<Response>;
  /** The secret of a new key; all scopes of a new tenant unless told otherwise. */
  key(options?: { tenantId?: string; scopes?: readonly Scope[]; expiresAt?: Date }): Promise<string>;
  /** POST an input, written by superjson. */
  call(name: ProcedureName, input: unknown, key?: string): Promise<Answer>;
  /** POST a body as it is. */
  post(path: string, body: string, key?: string): Promise<Answer>;
  close(): Promise<void>;
}

export async function openTestServer(options: Partial<AnnalsHandlerOptions> = {}): Promise<TestServer> {
  const core = await openTestCore();
  const handle = createAnnalsHandler({ services: core.services, ...options });
  let tenants = 0;
  const post: TestServer['post'] = async (path, body, key) => {
    const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
    return answerOf(await handle(new Request(`http://test/trpc/${path}`, { method: 'POST', headers, body })));
  };
  return {
    core,
    handle,
    key: async (options = {}) => {
      const key = { tenantId: `tenant-${++tenants}`, name: 'test', scopes, ...options };
      return (await bootstrapKey(core.services, key)).secret;
    },
    post,
    call: (name, input, key) => post(name, stringify(input), key),
    close: () => core.close(),
  };
}

export const deployment = { tenantId: deploymentTenant };

export const procedureNames = Object.keys(procedures) as ProcedureName[];

export async function answerOf(response: Response): Promise<Answer> {
  const text = await textOf(response);
  const json = parseEnvelope(text);
  return {
    status: response.status,
    headers: response.headers,
    text,
    data: json.result && deserialize(json.result.data),
    error: json.error?.json.data.annals,
  };
}

/** Of an event stream that never ends, what comes up to its first event with an id. */
async function textOf(response: Response): Promise<string> {
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    return response.text();
  }
  let text = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (/^id: .+\n\n/m.test(text)) break;
  }
  return text;
}

interface Envelope {
  readonly result?: { readonly data: SuperJSONResult };
  readonly error?: { readonly json: { readonly data: { readonly annals: ErrorInfo } } };
}

/** Streams of events or of lines hold no single envelope. */
function parseEnvelope(text: string): Envelope {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return {};
  }
}
