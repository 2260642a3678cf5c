import type { ClientBase } from 'pg';

/**
 * The three roles (docs/architecture.md): the owner migrates, the app runs and can neither change nor remove
 * an activity, the custodian erases and purges. Roles belong to the PostgreSQL cluster, not to a database.
 */
export const roles = { owner: 'annals_owner', app: 'annals_app', custodian: 'annals_custodian' } as const;

/** The roles that serve requests and jobs; the owner only migrates. */
export type RuntimeRole = 'app' | 'custodian';

/**
 * For `onConnect` of a pool, which closes a connection that cannot take the role; the query builder's
 * `onCreateConnection` would keep it for ever. As `options` of the connection it would give way to those of its URL.
 */
export function takeRole(role: string): (client: ClientBase) => void {
  // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it; its types do not say so
  return (client) => client.query(`set role ${role}`);
}
