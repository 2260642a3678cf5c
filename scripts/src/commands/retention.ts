import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { RetentionPolicy } from '@annals/contract';
import type { Command } from '@commander-js/extra-typings';
import { z } from 'zod';
import { UsageError } from '../cli/exit.ts';
import type { Runner, Session } from '../cli/session.ts';
import { table } from '../cli/text.ts';
import { planOrApply } from './apply-plan.ts';
import { applyOption, confirmOption, resumeOption } from './destructive-options.ts';

export function addRetention(program: Command, run: Runner): void {
  const retention = program
    .command('retention')
    .description('How long activities are kept, and the purge of the rest');
  retention
    .command('policies')
    .description('List the policies, in the order in which they decide')
    .action((_options, command) =>
      run(command, async (session) => {
        const { client } = await session.connect();
        showPolicies(session, await client.retention.policies());
      }),
    );
  retention
    .command('set')
    .description('Replace the policies by those of a JSON file; nothing is purged by that')
    .argument('<file>', 'a list of policies, or - for standard input')
    .action((file, _options, command) =>
      run(command, async (session) => {
        const policies = await readPolicies(file, session.io.stdin);
        const { client } = await session.connect();
        showPolicies(session, await client.retention.setPolicies(policies));
      }),
    );
  retention
    .command('purge')
    .description('Remove what the policies no longer keep: plan, and with --apply do it')
    .addOption(applyOption())
    .addOption(confirmOption("the tenant's id"))
    .addOption(resumeOption())
    .action((options, command) =>
      run(command, async (session) => {
        const { client } = await session.connect();
        return planOrApply(session, {
          options,
          question: 'These activities are removed for good.',
          plan: () => client.retention.plan(),
          apply: (planId) => client.retention.apply({ planId }),
        });
      }),
    );
}

// The server's answer to `policies` can be stored and set again as it is.
const PoliciesFile = z.preprocess(
  (input) => (Array.isArray(input) ? input : ((input as { policies?: unknown } | null)?.policies ?? input)),
  z.array(RetentionPolicy, 'must be a list of policies'),
);

async function readPolicies(file: string, stdin: NodeJS.ReadStream): Promise<RetentionPolicy[]> {
  let json: unknown;
  try {
    json = JSON.parse(file === '-' ? await text(stdin) : await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = PoliciesFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join('.') || 'file'}: ${message}`,
  );
  throw new UsageError(`${file} does not hold policies:\n${problems.join('\n')}`);
}

function showPolicies({ terminal }: Session, policies: readonly RetentionPolicy[]): void {
  terminal.result(policies, () =>
    policies.length === 0
      ? 'No policy: everything is kept for ever.'
      : table(policies, [
          { title: 'policy', cell: ({ name }) => name },
          { title: 'days', align: 'right', cell: ({ keepDays }) => String(keepDays) },
          { title: 'since', cell: ({ since }) => since },
          { title: 'kinds', cell: ({ kinds }) => kinds?.join(' ') },
          { title: 'severities', cell: ({ severities }) => severities?.join(' ') },
          { title: 'actions', cell: ({ actions }) => actions?.join(' ') },
        ]),
  );
}
