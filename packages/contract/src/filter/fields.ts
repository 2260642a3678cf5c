import {
  type ActorType,
  actorTypes,
  type Kind,
  kinds,
  type Operation,
  type Outcome,
  operations,
  outcomes,
  type Severity,
  severities,
  type Visibility,
  visibilities,
} from '../activity/vocabulary.ts';
import { limits } from '../limits.ts';

/** What the values of a field are: free text, a closed list, an action or prefix, an address or range, a UUID. */
export type FilterFieldKind = 'text' | 'enum' | 'action' | 'ip' | 'uuid';

export interface FilterField {
  readonly kind: FilterFieldKind;
  /** The values of the kind `enum`. */
  readonly values?: readonly string[];
  /** Longest value; what a record can hold. */
  readonly lengthMax: number;
  /** Whether a filter on it needs the scope `personal:read`, since it tells whether a guess was right. */
  readonly personal: boolean;
  readonly description: string;
}

/**
 * Every field with values that a filter can name. The schema, the query language, the docs and the SQL
 * compiler are driven by this table; its order is the order of `formatQuery`.
 */
export const filterFields = {
  id: textField('Id of the activity', { kind: 'uuid', lengthMax: 36 }),
  scope: textField('Id of the scope'),
  action: textField('Action, or a prefix as invoice.*', {
    kind: 'action',
    lengthMax: limits.actionLengthMax,
  }),
  kind: enumField('Kind of record', kinds),
  operation: enumField('What was done to the data', operations),
  severity: enumField('Severity; severity:>=warning selects that and worse', severities),
  outcome: enumField('How it ended', outcomes),
  visibility: enumField('Who may see it', visibilities),
  actorType: enumField('Type of the actor', actorTypes),
  actor: textField('Id of the actor'),
  actorLabel: textField('Label of the actor', { lengthMax: limits.labelLengthMax, personal: true }),
  subject: textField('Id of the person concerned, when that is not the actor', { personal: true }),
  targetType: textField('Type of the target', { lengthMax: limits.keywordLengthMax }),
  target: textField('Id of the target'),
  targetLabel: textField('Label of the target', { lengthMax: limits.labelLengthMax }),
  channel: textField('Channel', { lengthMax: limits.keywordLengthMax }),
  source: textField('Source', { lengthMax: limits.labelLengthMax }),
  message: textField('The whole message', { lengthMax: limits.textLengthMax }),
  reason: textField('The whole reason', { lengthMax: limits.textLengthMax }),
  ip: textField('IP address, or a range as 10.0.0.0/8', { kind: 'ip', lengthMax: 64, personal: true }),
  userAgent: textField('The whole user agent', { lengthMax: limits.userAgentLengthMax, personal: true }),
  requestId: textField('Id of the request'),
  sessionId: textField('Id of the session'),
  traceId: textField('Id of the trace'),
  spanId: textField('Id of the span'),
} as const satisfies Record<string, FilterField>;

export type FilterFieldName = keyof typeof filterFields;

export const filterFieldNames = Object.keys(filterFields) as [FilterFieldName, ...FilterFieldName[]];

/** The values that a field takes, where they are a closed list. */
interface EnumValues {
  kind: Kind;
  operation: Operation;
  severity: Severity;
  outcome: Outcome;
  visibility: Visibility;
  actorType: ActorType;
}
export type FilterValue<Name extends FilterFieldName> = Name extends keyof EnumValues
  ? EnumValues[Name]
  : string;

/** Fields whose presence `has` can ask for. */
export const presenceFields = [...filterFieldNames, 'tag'] as const;
export type PresenceField = FilterFieldName | 'tag';

/** The JSON objects of a record that a filter can reach into. */
export const pathRoots = ['metadata', 'details'] as const;
export type PathRoot = (typeof pathRoots)[number];

function textField(description: string, field: Partial<FilterField> = {}): FilterField {
  return { kind: 'text', lengthMax: limits.idLengthMax, personal: false, description, ...field };
}

function enumField(description: string, values: readonly string[]): FilterField {
  return { kind: 'enum', values, lengthMax: limits.keywordLengthMax, personal: false, description };
}
