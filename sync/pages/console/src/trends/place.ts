// Where one is on the page of trends, as its address says it: a link shows others the same.
import { SHOWS, type Show } from './series';

const HOUR = 3600;
const DAY = 86_400;
/** How long the window is, and how long its stretches are unless said otherwise. */
export const WINDOWS = {
  h6: { span_s: 6 * HOUR, step: 900 },
  h24: { span_s: DAY, step: 900 },
  d3: { span_s: 3 * DAY, step: 900 },
  d7: { span_s: 7 * DAY, step: HOUR },
  d30: { span_s: 30 * DAY, step: DAY },
  d90: { span_s: 90 * DAY, step: DAY },
} as const;
export type Window = keyof typeof WINDOWS;
export const STEPS = [900, HOUR, DAY] as const;
export type Step = (typeof STEPS)[number];
/** The cloud answers no more stretches than these, by their length. */
const MOST: Record<Step, number> = { 900: 288, 3600: 744, 86400: 400 };
export const QUEUES_MAX = 8;
/** Branches that are told apart at once. */
export const APART_MAX = 8;
export const APARTS = ['queues', 'sites'] as const;
export type Apart = (typeof APARTS)[number];
const SITES_MAX = 100;

export interface Place {
  window: Window;
  step: Step;
  /** End of the window, ms; null: now. */
  to: number | null;
  sites: string[];
  queues: string[];
  apart: Apart;
  show: Show;
  table: boolean;
}

const ID = /^[a-z0-9][a-z0-9-]*$/;
const ids = (text: string | null, most: number) => [...new Set((text ?? '').split(',').filter((id) => ID.test(id)))].slice(0, most);

/** Whether a window can be had in such stretches. */
export function fits(window: Window, step: Step): boolean {
  const { span_s } = WINDOWS[window];
  return step <= span_s && span_s / step + 1 <= MOST[step] + 1;
}

export function read(params: URLSearchParams): Place {
  const wanted = params.get('window') ?? '';
  const window: Window = Object.hasOwn(WINDOWS, wanted) ? (wanted as Window) : 'h24';
  const asked = STEPS.find((step) => String(step) === params.get('step'));
  const to = Number(params.get('to') ?? NaN);
  const show = SHOWS.find((show) => show === params.get('show'));
  return {
    window,
    step: asked !== undefined && fits(window, asked) ? asked : WINDOWS[window].step,
    to: Number.isSafeInteger(to) && to > 0 ? to : null,
    sites: ids(params.get('sites'), SITES_MAX),
    queues: ids(params.get('queues'), QUEUES_MAX),
    apart: params.get('apart') === 'sites' ? 'sites' : 'queues',
    show: show ?? 'offered',
    table: params.get('table') === '1',
  };
}

/** Only what differs from what is shown without it. */
export function write(place: Place): URLSearchParams {
  const params = new URLSearchParams();
  if (place.window !== 'h24') params.set('window', place.window);
  if (place.step !== WINDOWS[place.window].step && fits(place.window, place.step)) params.set('step', String(place.step));
  if (place.to !== null) params.set('to', String(place.to));
  if (place.sites.length > 0) params.set('sites', place.sites.join(','));
  if (place.queues.length > 0) params.set('queues', place.queues.join(','));
  if (place.apart !== 'queues') params.set('apart', place.apart);
  if (place.show !== 'offered') params.set('show', place.show);
  if (place.table) params.set('table', '1');
  return params;
}

/** How far the days here are ahead of those of UTC, in whole hours. */
export function offset(at: number): number {
  return Math.round(-new Date(at).getTimezoneOffset() / 60) * HOUR;
}

/** What is asked for: whole stretches, the last of them the one that `to` is in. */
export function range(place: Place, now: number): { from: number; to: number; offset_s: number } {
  const end = place.to ?? now;
  const step = place.step * 1000;
  const offset_s = offset(end);
  const to = Math.ceil((end + offset_s * 1000) / step) * step - offset_s * 1000;
  return { from: to - WINDOWS[place.window].span_s * 1000, to, offset_s };
}

/** One window earlier or later; the one that is going on has no end of its own. */
export function shift(place: Place, now: number, by: -1 | 1): Place {
  const { to } = range(place, now);
  const next = to + by * WINDOWS[place.window].span_s * 1000;
  return { ...place, to: next >= now ? null : next };
}
