export { runCli } from './cli/run-cli.ts';
export type { Io } from './cli/terminal.ts';
