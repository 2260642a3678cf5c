/** How a command ended, for the scripts that call it. Numbers once given keep their meaning. */
export const exitCodes = {
  ok: { code: 0, meaning: 'Done; of a destructive command without --apply: the plan was made.' },
  failure: { code: 1, meaning: 'Failed, or some lines of an import were refused.' },
  usage: {
    code: 2,
    meaning: 'The command line, a setting or an input file of options is wrong; nothing was done.',
  },
  declined: { code: 3, meaning: 'Not confirmed, or confirmed with another name; nothing was changed.' },
  auth: { code: 4, meaning: 'No API key, one that is not accepted, or one without the scope needed.' },
  resumable: { code: 5, meaning: 'Stopped early; what is done stays done, and the rest can be resumed.' },
  refused: { code: 6, meaning: 'Refused, since the records have changed since the plan; plan again.' },
  unverified: { code: 7, meaning: 'Verification failed: what was checked is not what the log holds.' },
  pending: {
    code: 8,
    meaning: 'Verified as far as it goes; something is not sealed or signed yet. Check again later.',
  },
  interrupted: { code: 130, meaning: 'Interrupted: an export by Ctrl-C, anything else by a second one.' },
} as const;

export type ExitName = keyof typeof exitCodes;

/** Ends the command with an exit code of its own; the message goes to stderr. */
export class ExitError extends Error {
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExitError';
    this.exit = exit;
  }
}

export class UsageError extends ExitError {
  constructor(message: string, options?: ErrorOptions) {
    super('usage', message, options);
    this.name = 'UsageError';
  }
}
