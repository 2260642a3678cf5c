import { runCli } from './cli/run-cli.ts';

const { stdin, stdout, stderr, env } = process;
// Not `exit`, which would cut off what is still being written.
process.exitCode = await runCli(process.argv.slice(2), { stdin, stdout, stderr, env, cwd: process.cwd() });
