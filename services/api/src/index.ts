export { type Config, ConfigError, loadConfig, renderSettingsTable } from './config.ts';
export { createLog } from './log.ts';
export { type RunningAnnals, type StartOptions, startAnnals } from './start.ts';
