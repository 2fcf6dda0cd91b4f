// Arithmetic of the figures: sums, means, and which intervals are still to come. Missing is never zero.
import type { Figures } from '@shared/model';
import type { Cell, SiteLine } from '../api';

export const NOTHING: Figures = {
  offered: 0, answered: 0, abandoned: 0, answered_in_t: 0, abandoned_in_t: 0, overflowed: 0, recorded: 0,
  wait_s: 0, talk_s: 0, hold_s: 0, wrap_up_s: 0,
};

export function add(a: Figures, b: Figures): Figures {
  const out = { ...a };
  for (const key of Object.keys(NOTHING) as (keyof Figures)[]) out[key] += b[key];
  return out;
}

/** Variant 2 of the service level: who gave up in time does not count. 0 to 1; null while nothing counts. */
export function level(f: Figures): number | null {
  const counts = f.offered - f.abandoned_in_t;
  return counts > 0 ? f.answered_in_t / counts : null;
}

/** Seconds; null without an answered caller. */
export function meanWait(f: Figures): number | null {
  return f.answered > 0 ? f.wait_s / f.answered : null;
}

export function meanHandling(f: Figures): number | null {
  return f.answered > 0 ? (f.talk_s + f.hold_s + f.wrap_up_s) / f.answered : null;
}

/** One point of the trend. */
export interface Point {
  /** Start, ms. */
  at: number;
  /** Null where nothing is known. */
  figures: Figures | null;
  complete: boolean;
  /** Branches whose part is still expected. */
  waitingFor: string[];
}

/**
 * Up to when a branch is known. Its intervals arrive in the order they closed, so whatever is missing is newer than
 * all that is here: a branch with everything delivered is known up to when it was last heard with data, one with
 * intervals outstanding only up to the last figure of it.
 */
function known(site: SiteLine, cells: readonly Cell[], from: number, now: number): number {
  const heard = now - (site.data_age_s ?? Infinity) * 1000;
  if ((site.completeness ?? 0) >= 1) return heard;
  const ends = cells.filter((cell) => cell.site === site.site).map((cell) => cell.start + cell.length_s * 1000);
  return Math.min(heard, Math.max(from, ...ends));
}

export function trend(cells: readonly Cell[], sites: readonly SiteLine[], from: number, to: number, length_s: number, now: number): Point[] {
  const step = length_s * 1000;
  const had = new Map<number, Figures>();
  for (const cell of cells) {
    had.set(cell.start, add(had.get(cell.start) ?? NOTHING, cell.figures));
  }
  const expected = sites
    .filter((site) => site.completeness !== null)
    .map((site) => ({ label: site.label, until: known(site, cells, from, now) }));
  const points: Point[] = [];
  for (let at = Math.floor(from / step) * step; at < to; at += step) {
    const slot = had.get(at);
    const waitingFor = expected.filter((site) => at + step > site.until).map((site) => site.label);
    const complete = waitingFor.length === 0 && expected.length > 0;
    points.push({ at, figures: slot ?? (complete ? NOTHING : null), complete, waitingFor });
  }
  return points;
}

/** Lines of the table: a branch's queues and its sum. */
export interface Line {
  site: string;
  queue: string | null;
  figures: Figures;
}

export function lines(cells: readonly Cell[]): Line[] {
  const by = new Map<string, Line>();
  for (const cell of cells) {
    const key = `${cell.site}/${cell.queue ?? ''}`;
    const line = by.get(key) ?? { site: cell.site, queue: cell.queue, figures: NOTHING };
    by.set(key, { ...line, figures: add(line.figures, cell.figures) });
  }
  const folded = (line: Line) => (line.queue === null ? 1 : 0);
  return [...by.values()].sort(
    (a, b) => a.site.localeCompare(b.site) || folded(a) - folded(b) || (a.queue ?? '').localeCompare(b.queue ?? ''),
  );
}
