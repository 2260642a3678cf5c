import { type Dimension, dimensions, type Filter } from '@annals/contract';

/** What activities are counted by, together. */
export interface Cube {
  readonly name: CubeName;
  readonly dimensions: readonly Dimension[];
  /** On a day that has more cells than this, the cube is given up. */
  readonly cellsPerDayMax?: number;
}

/** A cube of one dimension has its name. */
export type CubeName = Dimension | 'all';

/**
 * From the smallest on. Each counts by one dimension, but for the last, which counts by all that have few values
 * together: it answers whatever they are asked in combination (docs/adr/0017).
 */
export const cubes: readonly Cube[] = [
  ...(
    [
      'outcome',
      'severity',
      'visibility',
      'operation',
      'actorType',
      'kind',
      'channel',
      'targetType',
      'action',
      'scope',
    ] as const
  ).map((name): Cube => ({ name, dimensions: [name] })),
  {
    name: 'all',
    dimensions: [
      'action',
      'kind',
      'operation',
      'severity',
      'outcome',
      'visibility',
      'actorType',
      'targetType',
      'channel',
      'scope',
    ],
    cellsPerDayMax: 2_000,
  },
];

/** Every dimension that some cube has. `actor` and `target` have too many values: counts of them cost as much as an index. */
export const countedDimensions: readonly Dimension[] = dimensions.filter((name) =>
  cubes.some((cube) => cube.dimensions.includes(name)),
);

/** Whether some cube counts by a field. */
export function isCounted(field: string): field is Dimension {
  return countedDimensions.some((name) => name === field);
}

/** The smallest cube that tells these dimensions apart; undefined where none does. */
export function cubeOf(wanted: ReadonlySet<Dimension>): Cube | undefined {
  return cubes.find((cube) => [...wanted].every((name) => cube.dimensions.includes(name)));
}

/** The dimensions that a filter looks at besides the time; undefined where it looks at something else. */
export function dimensionsOf(filter: Filter): ReadonlySet<Dimension> | undefined {
  const wanted = new Set<Dimension>();
  for (const [name, part] of Object.entries(filter)) {
    if (part === undefined || name === 'from' || name === 'to') continue;
    if (name === 'has') {
      for (const presence of [...(filter.has?.all ?? []), ...(filter.has?.none ?? [])]) {
        if (!('field' in presence) || !isDimension(presence.field)) return undefined;
        wanted.add(presence.field);
      }
    } else if (name === 'severityAtLeast') wanted.add('severity');
    else if (isDimension(name)) wanted.add(name);
    else return undefined;
  }
  return wanted;
}

function isDimension(name: string): name is Dimension {
  return dimensions.some((dimension) => dimension === name);
}
