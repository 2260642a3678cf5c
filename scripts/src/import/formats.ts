import { applyMapping } from './apply-mapping.ts';
import cloudtrail from './formats/cloudtrail.json' with { type: 'json' };
import github from './formats/github.json' with { type: 'json' };
import gsuite from './formats/gsuite.json' with { type: 'json' };
import okta from './formats/okta.json' with { type: 'json' };
import { fromRecord } from './from-record.ts';
import { parseMapping } from './mapping.ts';
import type { ToActivity } from './outcome.ts';

const mappings = { cloudtrail, github, okta, gsuite } as const;

/** What `--format` takes: a mapping file of ours, or `annals`, the records that `annals export` writes. */
export const formatNames = ['annals', ...(Object.keys(mappings) as (keyof typeof mappings)[])] as const;
export type FormatName = (typeof formatNames)[number];

export function formatReader(format: FormatName): ToActivity {
  if (format === 'annals') return fromRecord;
  const mapping = parseMapping(mappings[format], format);
  return (object) => applyMapping(mapping, object);
}
