import type { DatabaseAccess } from '@annals/core';
import type { Deployment } from './deployment.ts';

/** Where HTTP is served: in this process, or in others of this server. It listens from the beginning. */
export interface Front {
  readonly port: number;
  /** From now on requests are served. */
  open(deployment: Deployment, database: DatabaseAccess): Promise<void>;
  /** Stop accepting, end event streams, let the calls in hand end for at most `graceMs`, then drop what is left. */
  close(graceMs: number): Promise<void>;
}
