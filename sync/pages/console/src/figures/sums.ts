// Arithmetic of the figures: sums and means.
import type { Figures } from '@shared/model';
import type { Cell } from '../api';

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
