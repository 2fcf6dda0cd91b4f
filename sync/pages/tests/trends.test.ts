import { expect, test } from 'vitest';
import type { Bin, TrendSite } from '../console/src/api';
import { NOTHING } from '../console/src/figures/sums';
import { signed } from '../console/src/trends/changed';
import { fits, range, read, shift, write } from '../console/src/trends/place';
import { linesOf, oldest, part, stateOf, steps, totalOf, valueOf, worstFirst } from '../console/src/trends/series';
import { rows } from '../console/src/trends/table';

const QUARTER = 900_000;
const NOW = 10 * QUARTER;
const bin = (over: Partial<Bin>): Bin => ({ ...NOTHING, start: 0, expected: 1, arrived: 1, isolated: 0, late: 0, small: 0, ...over });
const site = (over: Partial<TrendSite>): TrendSite => ({
  site: 'north', linked: true, data_age_s: 5, known: true, known_until: 0, lateness_ms_max: 0, queues: [], expected: 4, arrived: 4, isolated: 0, late: 0, ...over,
});

test('what is not here has no value, and neither have too few callers', () => {
  const told = (over: Partial<Bin>) => [stateOf(bin(over), NOW), valueOf(bin(over), 'offered', NOW)];
  expect(told({ offered: 7 })).toEqual(['whole', 7]);
  expect(told({ arrived: 0 })).toEqual(['missing', null]);
  expect(told({ arrived: 0, offered: 3 })).toEqual(['missing', 3]);
  expect(told({ expected: 4, arrived: 3, offered: 9 })).toEqual(['part', 9]);
  expect(told({ expected: 4, arrived: 3 })).toEqual(['part', null]);
  expect(told({ small: 1 })).toEqual(['small', null]);
  expect(told({ offered: 7, isolated: 1 })).toEqual(['late', 7]);
  expect(told({ expected: 0, arrived: 0 })).toEqual(['open', null]);
  expect(told({ expected: 0, arrived: 0, start: NOW + 1 })).toEqual(['future', null]);
});

test('a level and a mean of nobody are no zero', () => {
  expect(valueOf(bin({ offered: 2, abandoned: 2, abandoned_in_t: 2 }), 'level', NOW)).toBeNull();
  expect(valueOf(bin({ offered: 2, abandoned: 2 }), 'wait', NOW)).toBeNull();
  expect(valueOf(bin({ offered: 4, answered: 4, answered_in_t: 3, wait_s: 40 }), 'level', NOW)).toBe(0.75);
  expect(valueOf(bin({ offered: 4, answered: 4, wait_s: 40 }), 'wait', NOW)).toBe(10);
});

test('a window is the sum of its bins, figures and intervals alike', () => {
  const total = totalOf([bin({ offered: 7 }), bin({ arrived: 0 }), bin({ offered: 2, late: 1 })]);
  expect([total.offered, total.expected, total.arrived, total.late, part(total)]).toEqual([9, 3, 2, 1, 2 / 3]);
  expect(part(bin({ expected: 0, arrived: 0 }))).toBeNull();
});

test('the worst branch stands first, and data are as old as the oldest of them', () => {
  const sites = [site({ site: 'b' }), site({ site: 'a' }), site({ site: 'cut', linked: false }), site({ site: 'gap', arrived: 3 })];
  expect(worstFirst(sites).map((one) => one.site)).toEqual(['gap', 'cut', 'a', 'b']);
  expect(oldest([site({ data_age_s: 5 }), site({ data_age_s: 900 })])).toBe(900);
  expect(oldest([site({}), site({ data_age_s: null })])).toBe(5);
  expect(oldest([site({ data_age_s: null })])).toBeNull();
});

test('an axis has round steps and room for the largest', () => {
  for (const most of [1, 4, 9, 37, 100, 4321]) {
    const scale = steps(most);
    expect(scale[0]).toBe(0);
    expect(scale.at(-1)).toBeGreaterThanOrEqual(most);
    expect(scale.length).toBeLessThanOrEqual(7);
  }
});

test('an address says where one is, and says it the same after being read', () => {
  for (const text of ['', 'window=d7', 'window=d7&step=86400', 'window=d30&to=1767225600000&sites=north%2Csouth&queues=sales&apart=sites&show=level&table=1']) {
    expect(write(read(new URLSearchParams(text))).toString()).toBe(text);
  }
});

test('an address that somebody made up asks for nothing that cannot be had', () => {
  const place = read(new URLSearchParams('window=__proto__&step=7&to=x&sites=north,../etc,NORTH,north&queues=a,b,c,d,e,f,g,h,i,j&show=all&table=yes'));
  expect(place).toEqual({ window: 'h24', step: 900, to: null, sites: ['north'], queues: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], apart: 'queues', show: 'offered', table: false });
  expect(read(new URLSearchParams('window=d90&step=900')).step).toBe(86_400);
  expect([fits('d3', 900), fits('d7', 900), fits('d30', 3600), fits('d90', 3600), fits('h6', 86_400)]).toEqual([true, false, true, false, false]);
});

test('a window ends with the stretch that is going on, and moves by itself', () => {
  const now = Date.UTC(2026, 10, 29, 10, 7);
  const place = read(new URLSearchParams('window=h6'));
  const { from, to } = range(place, now);
  expect([to, to - from]).toEqual([Date.UTC(2026, 10, 29, 10, 15), 6 * 3_600_000]);
  const before = shift(place, now, -1);
  expect(before.to).toBe(from);
  expect(range(before, now).to).toBe(from);
  expect(shift(before, now, 1).to).toBeNull();
});

test('a file has a line for each queue and stretch, and leaves empty what nobody told', () => {
  const answer = { now: NOW, length_s: 900, bins: [], sites: [], branches: [], queues: [{ queue: 'sales', bins: [bin({ offered: 3, answered: 3, answered_in_t: 3 }), bin({ start: QUARTER, arrived: 0 })] }] };
  const [head, told, missing] = rows(linesOf(answer, new Map()), 900, NOW);
  const of = (line: readonly unknown[] | undefined, name: string) => line?.[head?.indexOf(name) ?? -1];
  expect([of(told, 'start'), of(told, 'queue'), of(told, 'offered'), of(told, 'service_level')]).toEqual(['1970-01-01T00:00:00.000Z', 'sales', 3, 1]);
  expect([of(missing, 'offered'), of(missing, 'state'), of(missing, 'intervals_expected')]).toEqual([null, 'missing', 1]);
  expect(head?.length).toBe(told?.length);
});

test('branches are called as people call them, and are told apart in a file by their ids', () => {
  const answer = { now: NOW, length_s: 900, bins: [], sites: [], queues: [], branches: [{ site: 'north', bins: [bin({ offered: 3 })] }, { site: 'new', bins: [bin({})] }] };
  const lines = linesOf(answer, new Map([['north', 'North Street']]));
  expect(lines.map((line) => line.name)).toEqual(['North Street', 'new']);
  const [head, first] = rows(lines, 900, NOW);
  expect([first?.[head?.indexOf('site') ?? -1], first?.[head?.indexOf('queue') ?? -1]]).toEqual(['north', null]);
});

test('a difference has its sign', () => {
  expect([signed(23, 'en'), signed(-4, 'en'), signed(0, 'en'), signed(1234, 'en')]).toEqual(['+23', '−4', '0', '+1,234']);
});
