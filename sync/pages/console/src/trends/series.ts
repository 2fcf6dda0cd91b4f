// What a stretch of time says: a value, too few callers to be told, or that it is not here. Missing is never zero.
import type { Bin, TrendAnswer, TrendSite } from '../api';
import { level, meanWait } from '../figures/sums';

export const SHOWS = ['offered', 'answered', 'abandoned', 'level', 'wait'] as const;
export type Show = (typeof SHOWS)[number];

/**
 * `future`: not over yet. `open`: over so lately that it may still be on its way, or before the branch was there.
 * `missing`: nothing is here. `part`: some is. `small`: all is here, and there were too few callers to be told, or
 * none. `late`: all is here, and came after its time. `whole`: all is here.
 */
export type State = 'future' | 'open' | 'missing' | 'part' | 'small' | 'late' | 'whole';

export function stateOf(bin: Bin, now: number): State {
  if (bin.expected === 0) return bin.start > now ? 'future' : 'open';
  if (bin.arrived === 0) return 'missing';
  if (bin.arrived < bin.expected) return 'part';
  if (bin.offered === 0 && bin.small > 0) return 'small';
  return bin.isolated + bin.late > 0 ? 'late' : 'whole';
}

/** Null: there is nothing that could be drawn. */
export function valueOf(bin: Bin, show: Show, now: number): number | null {
  const state = stateOf(bin, now);
  // Cells may be here before it is said that all of them are.
  if (state === 'small' || (bin.offered === 0 && state !== 'late' && state !== 'whole')) return null;
  if (show === 'level') return level(bin);
  if (show === 'wait') return meanWait(bin);
  return bin[show];
}

export interface Line {
  /** Null: all of them together. */
  queue: string | null;
  site: string | null;
  /** How people call it; null: everything together. */
  name: string | null;
  bins: readonly Bin[];
}

export function linesOf(answer: TrendAnswer, labels: ReadonlyMap<string, string>): Line[] {
  if (answer.branches.length > 0) return answer.branches.map(({ site, bins }) => ({ queue: null, site, name: labels.get(site) ?? site, bins }));
  if (answer.queues.length > 0) return answer.queues.map(({ queue, bins }) => ({ queue, site: null, name: queue, bins }));
  return [{ queue: null, site: null, name: null, bins: answer.bins }];
}

/** Arrived ÷ expected; null while nothing is expected. */
export function part(counts: { expected: number; arrived: number }): number | null {
  return counts.expected > 0 ? counts.arrived / counts.expected : null;
}

/** The sum of all bins, with its counts. */
export function totalOf(bins: readonly Bin[]): Bin {
  const sum = { ...NOTHING };
  for (const bin of bins) for (const key of KEYS) sum[key] += bin[key];
  return sum;
}

const NOTHING: Bin = {
  start: 0, offered: 0, answered: 0, abandoned: 0, answered_in_t: 0, abandoned_in_t: 0, overflowed: 0, recorded: 0, wait_s: 0, talk_s: 0, hold_s: 0, wrap_up_s: 0,
  expected: 0, arrived: 0, isolated: 0, late: 0, small: 0,
};
const KEYS = (Object.keys(NOTHING) as (keyof Bin)[]).filter((key) => key !== 'start');

/** Age of the oldest of what the branches have sent last, in seconds; null where none has sent anything. */
export function oldest(sites: readonly TrendSite[]): number | null {
  const ages = sites.map((site) => site.data_age_s).filter((age) => age !== null);
  return ages.length > 0 ? Math.max(...ages) : null;
}

/** The least complete first, then those that are cut off, then by name. */
export function worstFirst(sites: readonly TrendSite[]): TrendSite[] {
  const whole = (site: TrendSite) => part(site) ?? 1;
  return [...sites].sort((a, b) => whole(a) - whole(b) || Number(a.linked) - Number(b.linked) || a.site.localeCompare(b.site));
}

/** Round steps of an axis from zero, three to six of them. */
export function steps(most: number): number[] {
  const rough = Math.max(most, 1) / 4;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= rough) ?? rough);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, n) => n * step);
}
