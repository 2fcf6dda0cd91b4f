import { expect, test } from 'vitest';
import { KINDS, freeName, fresh, lead, places, renamed, ways, waysOf, without } from '../console/src/flows/steps';
import type { Flow } from '../shared/src/model';

const flow: Flow = {
  label: 'F',
  start: 'a',
  steps: {
    a: { do: 'menu', prompt: 'p', choices: { 1: 'b', 2: 'c' }, wait_s: 5, tries: 2, otherwise: 'a' },
    b: { do: 'play', prompt: 'p', next: 'c' },
    c: { do: 'hangup' },
    lost: { do: 'play', prompt: 'p', next: 'c' },
  },
};

test('a new step of every kind has the ways of its kind, and they lead where it was told', () => {
  for (const kind of KINDS) {
    const led = ways(fresh(kind, 'x'));
    expect(led.every(({ to }) => to === 'x')).toBe(true);
    const fixed = led.filter(({ way }) => way !== 'key').map(({ way }) => way);
    // Those of a queue may be left out.
    expect(kind === 'queue' ? [] : waysOf(kind)).toEqual(fixed);
  }
});

test('a way is led elsewhere and the others stay', () => {
  expect(ways(lead(flow.steps['a']!, 'key', 'lost', '2')).map(({ to }) => to)).toEqual(['b', 'lost', 'a']);
  expect(ways(lead(flow.steps['b']!, 'next', 'a'))).toEqual([{ way: 'next', to: 'a' }]);
});

test('who led to a step that is taken away leads on, and a new name is followed', () => {
  const less = without(flow, 'b');
  expect(ways(less.steps['a']!).map(({ to }) => to)).toEqual(['c', 'c', 'a']);
  expect(without({ ...flow, start: 'b' }, 'b').start).toBe('c');
  const named = renamed(flow, 'c', 'end');
  expect(ways(named.steps['b']!)).toEqual([{ way: 'next', to: 'end' }]);
  expect('c' in named.steps).toBe(false);
  expect(freeName(flow, 'look_up')).toBe('look-up');
  expect(freeName({ ...flow, steps: { ...flow.steps, 'look-up': { do: 'hangup' } } }, 'look_up')).toBe('look-up-2');
});

test('steps are drawn by their distance from the start, what nobody comes to below', () => {
  expect(places(flow)).toEqual({ a: { row: 0, column: 0 }, b: { row: 1, column: 0 }, c: { row: 1, column: 1 }, lost: { row: 2, column: 0 } });
});
