// How a report's values are read.
import { clock, count } from '@shared/format';
import type { Dimension, Step } from './ask';
import type { Column, Report } from './report';
import type { Words } from './words';

/** Columns that belong together; those of agents' time are there only where the report knows of agents alone. */
export const GROUPS = {
  contacts: ['offered', 'answered', 'abandoned', 'short_abandoned', 'service_level', 'abandonment', 'asa', 'aht'],
  levels: ['offered', 'answered_in_t', 'service_level', 'service_level_offered', 'service_level_any', 'abandonment', 'abandonment_raw'],
  handling: ['handled', 'talk', 'hold', 'wrap_up', 'aht', 'transferred', 'overflowed', 'recorded', 'disposed', 'undisposed', 'others', 'other_time'],
  back: ['callbacks_promised', 'callbacks_kept', 'saved_by_callback', 'abandoned', 'messages', 'in_progress'],
  survey: ['answered', 'surveys_asked', 'surveys_marked', 'survey_response', 'survey_score', 'survey_satisfied'],
  time: ['signed_in', 'occupancy', 'ready', 'ringing', 'talking', 'writing_up', 'paused'],
} as const;
export type Group = keyof typeof GROUPS;
export const groupOf = (name: string): Group => (name in GROUPS ? (name as Group) : 'contacts');

/** Places in the rows' values. */
export function columnsOf(report: Report, group: Group): number[] {
  const at = (name: string) => report.columns.findIndex((column) => column.name === name);
  const own = GROUPS[group].map(at).filter((index) => index >= 0);
  const pauses = report.columns.flatMap((column, index) => (column.name.startsWith('pause/') ? [index] : []));
  return group === 'time' ? [...own, ...pauses] : own;
}

export function columnText(w: Words, report: Report, column: Column): string {
  if (!column.name.startsWith('pause/')) return w.column[column.name as keyof Words['column']] ?? column.name;
  const why = column.name.slice('pause/'.length);
  return w.pausePrefix + (report.labels['pause']?.[why] ?? w.pause[why as keyof Words['pause']] ?? why);
}

export function valueText(value: number | null | undefined, unit: Column['unit'], language: string): string {
  if (value === null || value === undefined) return '–';
  switch (unit) {
    case 'count': return count(value, language);
    case 'ms': return clock(Math.round(value / 1000) * 1000);
    case 'permille': return new Intl.NumberFormat(language, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value / 1000);
  }
}

export function keyText(w: Words, report: Report, dimension: Dimension, value: string | null): string {
  if (value === null) return w.none[dimension];
  if (dimension === 'direction') return w.directions[value as keyof Words['directions']] ?? value;
  if (dimension === 'ending') return w.endings[value as keyof Words['endings']] ?? value;
  if (value === ':none_chosen') return w.noneChosen;
  const label = report.labels[dimension]?.[value];
  return label ?? (dimension === 'skill' ? value.replaceAll('+', ' + ') : value);
}

/** A bucket by the branch's clock. */
export function timeText(report: Report, at: number, step: Step, language: string): string {
  const options: Intl.DateTimeFormatOptions =
    step === 'quarter' || step === 'hour' ? { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } : { weekday: 'short', month: 'short', day: 'numeric' };
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: report.site.time_zone }).format(at);
  } catch {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(at);
  }
}

export interface Series {
  name: string;
  /** By bucket; null: nothing to show. */
  values: (number | null)[];
}

/** What is drawn of a column: the largest keys. A bucket without a row is a zero of a count where the box was up, and a gap where not. */
export function series(w: Words, report: Report, column: number, most: number): Series[] {
  const unit = report.columns[column]?.unit;
  const all = new Map<string, { key: (string | null)[]; values: (number | null)[]; sum: number }>();
  for (const row of report.rows) {
    const id = JSON.stringify(row.key);
    const own = all.get(id) ?? { key: row.key, values: report.times.map((time) => (time.down || unit === 'permille' ? null : 0)), sum: 0 };
    const value = row.values[column] ?? null;
    own.values[row.time] = value;
    own.sum += unit === 'permille' ? (row.values[report.columns.findIndex((each) => each.name === 'contacts')] ?? 0) : (value ?? 0);
    all.set(id, own);
  }
  const largest = [...all.values()].sort((a, b) => b.sum - a.sum).slice(0, most);
  return largest.map(({ key, values }) => ({ name: report.by.map((dimension, n) => keyText(w, report, dimension, key[n] ?? null)).join(' · '), values }));
}

/** Round steps from 0 to at least the largest. */
export function scale(largest: number, unit: Column['unit']): number[] {
  if (unit === 'permille') return [0, 250, 500, 750, 1000];
  const base = unit === 'ms' ? 1000 : 1;
  const most = Math.max(4 * base, largest);
  const rough = most / 4 / base;
  const steps = unit === 'ms' ? [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600] : [1, 2, 5];
  const power = unit === 'ms' ? Math.max(1, 3600 * Math.ceil(rough / 3600)) : 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = (unit === 'ms' ? (steps.find((each) => each >= rough) ?? power) : (steps.find((each) => each * power >= rough) ?? 10) * power) * base;
  return Array.from({ length: 5 }, (_, n) => n * step);
}
