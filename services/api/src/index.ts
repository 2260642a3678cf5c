export { type Config, ConfigError, loadConfig, renderSettingsTable } from './config.ts';
export { createLog } from './log.ts';
export { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres/index.ts';
export { type RunningAnnals, type StartOptions, startAnnals } from './start.ts';
