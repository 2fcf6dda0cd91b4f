import { expect, test } from 'vitest';
import type { Cell } from '../console/src/api';
import { NOTHING, level, lines, meanWait } from '../console/src/figures/sums';

const HOUR = 3_600_000;
const cell = (start: number, offered: number, over: Partial<Cell> = {}): Cell => ({
  site: 'north', queue: 'sales', start, length_s: 3600, revision: 1, figures: { ...NOTHING, offered }, ...over,
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
