export { type Config, ConfigError, loadConfig, renderSettingsTable } from './config.ts';
