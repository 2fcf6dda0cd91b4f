import { expect, test } from 'vitest';
import { START, before, dayIn, daysOf, query, read, write, type Wanted } from '../desk/src/reports/ask';
import { jsonLines, type Report } from '../desk/src/reports/report';
import { scale, series } from '../desk/src/reports/show';
import type { Words } from '../desk/src/reports/words';

const wanted = (part: Partial<Wanted>): Wanted => ({ ...START, ...part });

test('a link says what was asked, and is asked again by whoever opens it', () => {
  const asked = wanted({ span: 'days', from: '2026-11-01', until: '2026-11-30', step: 'day', by: ['queue', 'skill'], only: { skill: 'english+sales', agent: '-' }, figures: 'levels', drawn: 'asa' });
  expect(read(write(asked))).toEqual(asked);
  expect(query(asked, 'Asia/Shanghai', 0)).toBe('from=2026-11-01&until=2026-11-30&step=day&by=queue%2Cskill&only=skill%3Aenglish%2Bsales%3Bagent%3A-');
});

test('an address that makes no sense is a report of today', () => {
  expect(read('')).toEqual(START);
  expect(read('#reports?span=days&from=x&step=year&by=name,queue,queue,agent,flow,number')).toEqual(wanted({ by: ['queue', 'agent', 'flow'] }));
});

test('today is the day of the branch', () => {
  const at = Date.parse('2026-11-29T23:30:00Z');
  expect(dayIn('Asia/Shanghai', at)).toBe('2026-11-30');
  expect(dayIn('America/New_York', at)).toBe('2026-11-29');
  expect(dayIn('No/Where', at)).toBe('2026-11-29');
  expect(before('2026-03-01', 1)).toBe('2026-02-28');
  expect(daysOf(wanted({ span: 'week' }), 'Asia/Shanghai', at)).toEqual(['2026-11-24', '2026-11-30']);
});

test('lines are read wherever the stream is cut', async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n{"b":1}\n');
  async function* cut() {
    for (const byte of bytes) yield Uint8Array.of(byte);
  }
  const found: unknown[] = [];
  for await (const line of jsonLines(cut())) found.push(line);
  expect(found).toEqual([{ a: 'é' }, { b: 1 }]);
});

const w = { none: { queue: 'No queue' } } as unknown as Words;
const time = (down: boolean) => ({ start: 0, until: 1, down_ms: 0, down, running: false });
const report = {
  by: ['queue'], labels: { queue: { sales: 'Sales' } }, times: [time(false), time(true), time(false)], columns: [{ name: 'contacts', unit: 'count', formula: '' }, { name: 'service_level', unit: 'permille', formula: '' }],
  rows: [{ time: 0, key: [null], values: [9, 500] }, { time: 0, key: ['sales'], values: [3, 700] }, { time: 2, key: ['sales'], values: [4, null] }],
} as unknown as Report;

test('what is drawn has no value where the box was down, and a rate none where nothing happened', () => {
  expect(series(w, report, 0, 6)).toEqual([{ name: 'No queue', values: [9, null, 0] }, { name: 'Sales', values: [3, null, 4] }]);
  expect(series(w, report, 1, 1)).toEqual([{ name: 'No queue', values: [500, null, null] }]);
});

test('an axis reaches the largest value in round steps', () => {
  expect(scale(13, 'count')).toEqual([0, 5, 10, 15, 20]);
  expect(scale(0, 'count')).toEqual([0, 1, 2, 3, 4]);
  expect(scale(95_000, 'ms').at(-1)).toBeGreaterThanOrEqual(95_000);
  for (const largest of [1, 7, 99, 1_234, 98_765]) expect(scale(largest, 'count').at(-1)).toBeGreaterThanOrEqual(largest);
});
