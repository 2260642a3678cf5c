import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

/** A connection for one piece of work; the server may be recovering, which is waited for up to a minute. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(url);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connect(url: string): Promise<Client> {
  const endMs = Date.now() + 60_000;
  for (;;) {
    const client = new Client({ connectionString: url });
    // A connection that is cut while it is idle; whoever uses it is told by the query.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (Date.now() > endMs) throw error;
      await delay(250);
    }
  }
}
