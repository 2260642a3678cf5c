import type { JsonValue } from '@annals/contract';
import type { Tx } from '../database/database.ts';
import { jsonTexts } from '../privacy/erase-json.ts';
import type { Person } from '../privacy/person.ts';
import { HoldEntity } from './entity.ts';

/** What stands in place of a released hold's name that named somebody. */
const erasedName = '[erased]';

/**
 * `hold` for each hold of the tenant that names the person.
 *
 * An active one stays as it is, being the reason why records do. Of a released one only its name and the reason
 * of its release are left, and go where they name the person.
 */
export async function residualInHolds(tx: Tx, person: Person): Promise<string[]> {
  const rows = await tx.em.find(HoldEntity, {});
  const places: string[] = [];
  for (const { id, name, request, releasedAt, releaseReason } of rows) {
    if (!names(person, [name, request, releaseReason])) continue;
    if (releasedAt === null) {
      places.push('hold');
      continue;
    }
    await tx.em.nativeUpdate(
      HoldEntity,
      { id },
      {
        ...(names(person, [name]) && { name: erasedName }),
        ...(names(person, [releaseReason]) && { releaseReason: null }),
      },
    );
  }
  return places;
}

/** Ids too short to be looked for in texts count as whole ones. */
function names(person: Person, values: readonly unknown[]): boolean {
  for (const { text } of jsonTexts({ root: '', value: values as JsonValue })) {
    if (person.matcher.occursIn(text) || person.isPerson(text)) return true;
  }
  return false;
}
