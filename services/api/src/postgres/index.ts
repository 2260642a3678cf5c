export { generatePassword, readSecrets, type Secrets, writeSecrets } from './secrets.ts';
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from './start-embedded-postgres.ts';
export { StartError } from './start-error.ts';
