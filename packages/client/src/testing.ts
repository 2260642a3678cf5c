import { type Principal, type Services, systemClock } from '@annals/core';
import { openTestCore, type TestCore } from '@annals/core/testing';
import { createAnnalsHandler, operatorPrincipal } from '@annals/server';
import { aTenantId } from '@annals/testkit';
import type { Annals } from './annals.ts';
import { createAnnals } from './create-annals.ts';
import type { ClientOptions } from './options.ts';

export type Fetch = NonNullable<ClientOptions['fetch']>;

/** For tests: a server in process, and clients that reach it without a network. */
export interface TestNetwork {
  readonly core: TestCore;
  readonly services: Services;
  /** A fetch that leads to the server, every call being made by `principal`. */
  fetchAs(principal: Principal): Fetch;
  /** A fetch that leads to the server as strangers meet it: it asks for a key. */
  readonly fetchWithKeys: Fetch;
  /** A client of the operator for a tenant of its own; `wrap` stands between it and the server. */
  client(options?: Partial<ClientOptions> & { wrap?: (fetch: Fetch) => Fetch }): Promise<Annals>;
  close(): Promise<void>;
}

/** Tests wait for nothing. */
export const noPauses = { baseMs: 0, pauseMaxMs: 0 };

export async function openTestNetwork(): Promise<TestNetwork> {
  const core = await openTestCore();
  // The client takes times from the system's clock.
  const services = { ...core.services, clock: systemClock };
  const fetchAs = (principal: Principal): Fetch => {
    const handle = createAnnalsHandler({ services, authenticate: async () => principal });
    return (url, init) => handle(new Request(url, init));
  };
  const handleWithKeys = createAnnalsHandler({ services });
  return {
    core,
    services,
    fetchAs,
    fetchWithKeys: (url, init) => handleWithKeys(new Request(url, init)),
    client: async ({ wrap = (fetch: Fetch) => fetch, tenantId = aTenantId(), ...options } = {}) => {
      const fetch = fetchAs(operatorPrincipal());
      const url = 'http://annals.test';
      await createAnnals({ url, fetch }).tenants.create({ id: tenantId });
      return createAnnals({ url, fetch: wrap(fetch), tenantId, retry: noPauses, ...options });
    },
    close: () => core.close(),
  };
}
