import { expect, test } from 'vitest';
import type { Cell, SiteLine } from '../console/src/api';
import { NOTHING, level, lines, meanWait, trend } from '../console/src/figures/sums';

const HOUR = 3_600_000;
const site = (over: Partial<SiteLine>): SiteLine => ({
  site: 'north', label: 'North', linked: true, last_heard_ms_ago: 0, data_age_s: 0, completeness: 1, software: null, health: null,
  findings: { repaired: 0, warning: 0, fatal: 0 }, ...over,
});
const cell = (start: number, offered: number, over: Partial<Cell> = {}): Cell => ({
  site: 'north', queue: 'sales', start, length_s: 3600, revision: 1, figures: { ...NOTHING, offered }, ...over,
});
const seen = (points: ReturnType<typeof trend>) => points.map((p) => [p.figures?.offered ?? null, p.complete]);

test('an interval without callers is zero once the branch has told everything', () => {
  const points = trend([cell(HOUR, 5)], [site({})], 0, 3 * HOUR, 3600, 3 * HOUR);
  expect(seen(points)).toEqual([[0, true], [5, true], [0, true]]);
});

test('an interval that the branch has not told is missing, never zero', () => {
  const points = trend([cell(0, 5)], [site({ data_age_s: 7200 })], 0, 3 * HOUR, 3600, 3 * HOUR);
  expect(seen(points)).toEqual([[5, true], [null, false], [null, false]]);
  expect(points[1]?.waitingFor).toEqual(['North']);
});

test('what one branch told is shown while another is still expected', () => {
  const sites = [site({}), site({ site: 'south', label: 'South', data_age_s: 7200 })];
  const points = trend([cell(0, 5), cell(HOUR, 6)], sites, 0, 2 * HOUR, 3600, 2 * HOUR);
  expect(seen(points)).toEqual([[5, false], [6, false]]);
  expect(points[0]?.waitingFor).toEqual(['South']);
});

test('outstanding intervals are newer than the last one that came', () => {
  const points = trend([cell(HOUR, 5)], [site({ completeness: 0.9 })], 0, 3 * HOUR, 3600, 3 * HOUR);
  expect(seen(points)).toEqual([[0, true], [5, true], [null, false]]);
});

test('a branch that never closed an interval is not waited for, and alone completes nothing', () => {
  const fresh = site({ site: 'west', label: 'West', completeness: null, data_age_s: null });
  expect(seen(trend([cell(0, 5)], [site({}), fresh], 0, HOUR, 3600, HOUR))).toEqual([[5, true]]);
  expect(seen(trend([], [fresh], 0, HOUR, 3600, HOUR))).toEqual([[null, false]]);
});

test('the service level leaves out who gave up in time, and nothing counts as nothing', () => {
  expect(level({ ...NOTHING, offered: 10, answered_in_t: 6, abandoned_in_t: 2 })).toBe(0.75);
  expect(level({ ...NOTHING, offered: 2, abandoned_in_t: 2 })).toBeNull();
  expect(meanWait(NOTHING)).toBeNull();
});

test('lines add up per branch and queue, folded queues last', () => {
  const found = lines([cell(0, 1, { queue: null }), cell(0, 2), cell(HOUR, 3), cell(0, 4, { site: 'harbour' })]);
  expect(found.map((line) => [line.site, line.queue, line.figures.offered])).toEqual([
    ['harbour', 'sales', 4],
    ['north', 'sales', 5],
    ['north', null, 1],
  ]);
});
