import { expect, test } from 'vitest';
import { outline, sought } from '../desk/src/contacts/waveform';

test('each stretch has a bar for either side, as high as it is loud, and silence is a line', () => {
  const drawn = outline({ ms: 20, caller: [0, 255], agent: [64] });
  expect(drawn).toBe('M0 31v-0.5h.7v0.5zM0 33v15.0h.7v-15.0zM1 31v-30.0h.7v30.0zM1 33v0.5h.7v-0.5z');
});

test('the keys of a slider seek and never leave the recording', () => {
  expect(sought('ArrowRight', 10, 60)).toBe(15);
  expect(sought('ArrowLeft', 2, 60)).toBe(0);
  expect(sought('PageUp', 58, 60)).toBe(60);
  expect([sought('Home', 9, 60), sought('End', 9, 60), sought('a', 9, 60)]).toEqual([0, 60, null]);
});
