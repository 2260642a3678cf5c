import type { Terminal } from './terminal.ts';
import { bar, formatDuration, number } from './text.ts';

/** Where a run stands, in units of its own. */
export interface Standing {
  readonly done: number;
  /** Undefined while nobody knows. */
  readonly total?: number | undefined;
}

export interface Progress {
  update(standing: Standing): void;
  /** Clears the bar; nothing is drawn after. */
  end(): void;
}

export interface ProgressOptions {
  readonly label: string;
  /** As `activities`. */
  readonly unit: string;
  readonly stderr: NodeJS.WriteStream;
  readonly nowMs?: () => number;
}

/** How often each kind of reader is told, in milliseconds. */
const paceMs = { animated: 100, lines: 10_000, events: 1_000 } as const;

/** A bar on a terminal, a line every ten seconds elsewhere, JSON events where a program reads. */
export function createProgress(
  terminal: Terminal,
  { label, unit, stderr, nowMs = () => performance.now() }: ProgressOptions,
): Progress {
  const kind = terminal.mode === 'human' ? (terminal.animated ? 'animated' : 'lines') : 'events';
  const rate = createRate();
  let toldMs = kind === 'lines' ? nowMs() : Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update: (standing) => {
      if (terminal.quiet) return;
      const now = nowMs();
      const perSecond = rate.update(standing.done, now);
      if (now - toldMs < paceMs[kind]) return;
      toldMs = now;
      if (kind === 'events') terminal.event({ event: 'progress', label, ...describe(standing, perSecond) });
      else if (kind === 'lines') terminal.note(`${label}: ${progressText(standing, perSecond, unit)}`);
      else {
        const text = progressText(standing, perSecond, unit);
        const drawing = progressLine(standing, label, { text, columns: stderr.columns || 80 });
        stderr.write(`\r\u{1b}[K${drawing}`);
        drawn = true;
      }
    },
    end: () => {
      if (drawn) stderr.write('\r\u{1b}[K');
      drawn = false;
    },
  };
}

/** Exponentially weighted units per second; undefined before there is something to measure. */
export function createRate({ halfLifeMs = 5_000 }: { halfLifeMs?: number } = {}) {
  let last: { done: number; atMs: number } | undefined;
  let perSecond: number | undefined;
  return {
    update: (done: number, nowMs: number): number | undefined => {
      if (last === undefined) last = { done, atMs: nowMs };
      const elapsedMs = nowMs - last.atMs;
      if (elapsedMs <= 0) return perSecond;
      const current = ((done - last.done) * 1_000) / elapsedMs;
      const weight = 1 - 0.5 ** (elapsedMs / halfLifeMs);
      perSecond = perSecond === undefined ? current : perSecond + weight * (current - perSecond);
      last = { done, atMs: nowMs };
      return perSecond;
    },
  };
}

/** What a program is told: numbers only, seconds where a time is meant. */
export function describe({ done, total }: Standing, perSecond: number | undefined) {
  const known = perSecond !== undefined && perSecond > 0;
  return {
    done,
    ...(total !== undefined && { total }),
    ...(perSecond !== undefined && { perSecond: Math.round(perSecond) }),
    ...(known && total !== undefined && { etaSeconds: Math.round(Math.max(0, total - done) / perSecond) }),
  };
}

export function progressText(standing: Standing, perSecond: number | undefined, unit: string): string {
  const { done, total, perSecond: rate, etaSeconds } = describe(standing, perSecond);
  return [
    total === undefined ? `${number(done)} ${unit}` : `${number(done)} of ${number(total)} ${unit}`,
    ...(rate === undefined ? [] : [`${number(rate)}/s`]),
    ...(etaSeconds === undefined ? [] : [`${formatDuration(etaSeconds)} left`]),
  ].join(', ');
}

function progressLine(standing: Standing, label: string, drawing: { text: string; columns: number }): string {
  const { done, total } = standing;
  const { text, columns } = drawing;
  const barWidth = Math.min(30, columns - label.length - text.length - 6);
  const drawnBar =
    total !== undefined && barWidth >= 8 ? `${bar(done, total, barWidth).padEnd(barWidth)}  ` : '';
  return `${label}  ${drawnBar}${text}`.slice(0, columns - 1);
}
