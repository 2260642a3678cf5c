export { type Clock, systemClock } from './clock.ts';
export {
  type Context,
  deploymentTenant,
  hasScope,
  type Principal,
  requireScope,
  type Services,
} from './context.ts';
export { type Database, type DatabaseOptions, openDatabase, type Tx } from './database/database.ts';
export { migrate, provision, type RoleLogin } from './database/provision.ts';
export { roles } from './database/roles.ts';
export type { JobQueue } from './job/queue.ts';
export { type Logger, silentLogger } from './logger.ts';
