import type { PlanAnonymizeInput } from '@annals/contract';
import type { Tx } from '../database/database.ts';
import { type Learned, learnLabels } from './learn-labels.ts';
import { fold } from './text-forms.ts';

/** How a call names a person. */
export type PersonInput = Pick<PlanAnonymizeInput, 'ids' | 'identifiers' | 'learn' | 'except'>;

export type Label = Omit<Learned, 'skipped'> & { readonly skipped?: 'short' | 'shared' | 'excepted' };

export interface ResolvedPerson {
  /** What to look for besides the ids: the identifiers given, and the labels learned. */
  readonly identifiers: readonly string[];
  /** What was learned, and what of it is left alone. */
  readonly labels: readonly Label[];
}

/** Whom a call names, with the labels that the person's own records carry now. */
export async function resolvePerson(tx: Tx, input: PersonInput): Promise<ResolvedPerson> {
  const learned = input.learn ? await learnLabels(tx, input.ids) : [];
  const labels = sortOut(learned, input);
  const searched = labels.filter(({ skipped }) => !skipped).map(({ label }) => label);
  return { identifiers: [...input.identifiers, ...searched], labels };
}

/** Without the labels that were given as well, and with those marked that the caller excepted. */
function sortOut(learned: readonly Learned[], input: PersonInput): Label[] {
  const given = new Set([...input.ids, ...input.identifiers].map(fold));
  const excepted = new Set(input.except.map(fold));
  return learned
    .filter(({ label }) => !given.has(fold(label)))
    .map((each) => (excepted.has(fold(each.label)) ? { ...each, skipped: 'excepted' } : each));
}
