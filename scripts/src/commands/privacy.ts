import type { Command } from '@commander-js/extra-typings';
import { Option } from '@commander-js/extra-typings';
import { UsageError } from '../cli/exit.ts';
import type { Runner } from '../cli/session.ts';
import { planOrApply } from './apply-plan.ts';
import { applyOption, confirmOption, resumeOption } from './destructive-options.ts';
import { checkQuery, listed, queryOption, repeated } from './shared.ts';

export function addAnonymize(program: Command, run: Runner): void {
  program
    .command('anonymize')
    .description('Erase every trace of a person: plan, and with --apply do it')
    .argument('[ids...]', "the person's ids, as they stand in actor.id, subject.id and target.id")
    .option(
      '-i, --identifier <text>',
      'what else names the person: an e-mail address, a name (repeatable)',
      repeated,
    )
    .addOption(
      new Option('--mode <mode>', 'leave no link, or put one random pseudonym in place')
        .choices(['anonymize', 'pseudonymize'] as const)
        .default('anonymize' as const),
    )
    .option(
      '--except <label>',
      'a learned label that does not name the person, as Admin (repeatable)',
      repeated,
    )
    .option('--no-learn', "do not search for the labels of the person's own records")
    .addOption(applyOption())
    .addOption(confirmOption("the person's first id"))
    .addOption(resumeOption())
    .action((ids, options, command) =>
      run(command, async (session) => {
        const { identifier: identifiers = [], except = [], mode, learn } = options;
        if (ids.length === 0 && !options.resume)
          throw new UsageError("name at least one of the person's ids");
        const { client } = await session.connect();
        return planOrApply(session, {
          options,
          question: 'Every trace of the person is erased for good.',
          plan: () => client.privacy.planAnonymize({ ids, identifiers, except, mode, learn }),
          apply: (planId) => client.privacy.applyAnonymize({ planId }),
        });
      }),
    );
}

export function addRedact(program: Command, run: Runner): void {
  program
    .command('redact')
    .description('Erase chosen fields of the activities that a query selects: plan, and with --apply do it')
    .addOption(queryOption())
    .option('--all', 'every activity of the tenant, in place of a query')
    .option('-f, --field <name>', 'as context.ip, metadata.card (repeatable, or with commas)', listed)
    .addOption(applyOption())
    .addOption(confirmOption("the tenant's id"))
    .addOption(resumeOption())
    .action((options, command) =>
      run(command, async (session) => {
        const { field: fields = [], all } = options;
        const query = checkQuery(options.query);
        if (!options.resume) {
          if (fields.length === 0) throw new UsageError('name what to erase with --field');
          if ((query === undefined) === (all === undefined)) throw new UsageError('give --query or --all');
        }
        const { client } = await session.connect();
        return planOrApply(session, {
          options,
          question: `${fields.join(', ')} of these activities is erased for good.`,
          plan: () => client.privacy.planRedact({ fields, ...(query !== undefined && { query }) }),
          apply: (planId) => client.privacy.applyRedact({ planId }),
        });
      }),
    );
}
