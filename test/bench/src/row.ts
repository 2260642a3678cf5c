/** One line of the result: ours beside a reference that ran in turns with it. */
export interface Row {
  readonly name: string;
  /** Records in the log, where the row is one of several that tell how cost grows with them. */
  readonly size?: number | undefined;
  /** Of `ours` and `reference`. */
  readonly unit: string;
  /** Medians over the rounds. */
  readonly ours: number;
  readonly reference?: number | undefined;
  readonly referenceName?: string | undefined;
  /** Ours by the reference. */
  readonly ratio?: number | undefined;
  readonly target?: Target | undefined;
  readonly met?: boolean | undefined;
  readonly rounds: readonly Round[];
  /** In the JSON alone: the table has another row that stands for it. */
  readonly detail?: boolean;
}

export interface Round {
  readonly ours: number;
  readonly reference?: number | undefined;
}

/** What is asked of `ours`, or of the ratio. */
export interface Target {
  readonly of: 'ours' | 'ratio';
  readonly atLeast?: number;
  readonly atMost?: number;
}

export type RowSpec = Pick<Row, 'name' | 'size' | 'unit' | 'referenceName' | 'target'>;

export function rowOf(spec: RowSpec, rounds: readonly Round[]): Row {
  const ours = median(rounds.map((round) => round.ours));
  const references = rounds.flatMap(({ reference }) => (reference === undefined ? [] : [reference]));
  const reference = references.length > 0 ? median(references) : undefined;
  const ratio = reference === undefined ? undefined : ours / reference;
  return { ...spec, ours, reference, ratio, met: isMet(spec.target, { ours, ratio }), rounds };
}

function isMet(target: Target | undefined, values: { ours: number; ratio: number | undefined }) {
  const value = target && values[target.of];
  if (target === undefined || value === undefined) return undefined;
  return value >= (target.atLeast ?? -Infinity) && value <= (target.atMost ?? Infinity);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this part of the values lies; between two, their mean by distance. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
