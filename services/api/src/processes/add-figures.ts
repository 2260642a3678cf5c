import { AggregatorRegistry, type Registry } from 'prom-client';

/** What a process has counted and measured of itself, as prom-client hands it on. */
export type Figures = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

/** One registry of all: counts and gauges are added up, of lags there is the mean, least or greatest. */
export function addFigures(figures: readonly Figures[]): Registry {
  return AggregatorRegistry.aggregate([...figures]);
}

/**
 * What processes that have ended leave behind: their counts, as they were told last. Without them a sum would fall
 * when a process is replaced, which Prometheus takes for a start from zero, and counts what is left once more.
 */
export async function keepCounts(left: Figures, ended: Figures): Promise<Figures> {
  const counts = ended.filter(({ type }) => isCount(String(type)));
  return addFigures([left, counts]).getMetricsAsJSON();
}

function isCount(type: string): boolean {
  return type === 'counter' || type === 'histogram';
}
