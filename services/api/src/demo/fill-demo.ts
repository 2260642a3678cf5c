import { AnnalsError } from '@annals/contract';
import { appendActivities, type Context, getActivity, type Services } from '@annals/core';
import { generateDemo } from './generate.ts';

const chunkSize = 1_000;

/**
 * Fill the demo tenant with a month that ends at `end`, unless it has been filled before.
 *
 * The same `end` gives the same ids, so a fill that was interrupted is completed by the next start, and what
 * it had stored already counts as a duplicate.
 */
export async function fillDemo(
  services: Services,
  { tenantId, end }: { readonly tenantId: string; readonly end: Date },
): Promise<{ stored: number }> {
  const activities = generateDemo({ seed: 1, end });
  const ctx: Context = {
    ...services,
    tenantId,
    requestId: 'demo',
    principal: {
      keyId: 'demo',
      keyName: 'Demo data',
      tenantId,
      scopes: ['activities:write', 'activities:read'],
    },
  };
  const last = activities.at(-1);
  if (!last || (await exists(ctx, last.id))) return { stored: 0 };
  let stored = 0;
  for (let from = 0; from < activities.length; from += chunkSize) {
    const result = await appendActivities({
      ctx,
      input: { activities: activities.slice(from, from + chunkSize) },
    });
    stored += result.stored;
  }
  return { stored };
}

/** The last activity is stored last, so its presence says that all are there. */
async function exists(ctx: Context, id: string): Promise<boolean> {
  try {
    await getActivity({ ctx, input: { id } });
    return true;
  } catch (error) {
    if (error instanceof AnnalsError && error.code === 'not_found') return false;
    throw error;
  }
}
