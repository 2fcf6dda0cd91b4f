import { expect, test } from 'vitest';
import { clock, minutes, ofMinutes, phone, dateOf, size } from '../shared/src/format';

test('spans are read as minutes and seconds, and hours from the first one on', () => {
  expect([0, 59_999, 61_000, 3_599_000, 3_723_000, -5].map(clock)).toEqual(['0:00', '0:59', '1:01', '59:59', '1:02:03', '0:00']);
});

test('minutes of the day are written and read alike', () => {
  for (const min of [0, 570, 1080, 1439, 1440]) expect(ofMinutes(minutes(min))).toBe(min);
  for (const text of ['', '9', '24:01', '12:60', 'noon', '9.30']) expect(ofMinutes(text)).toBeNull();
});

test('a number is grouped, and whatever is no number is left as it is', () => {
  expect(phone('+8613800000001')).toBe('+86 138 0000 0001');
  expect(phone('201')).toBe('201');
  expect(phone('<b>anonymous</b>')).toBe('<b>anonymous</b>');
  for (const number of ['075512345678', '+4930123456', '1234567']) expect(phone(number).replaceAll(' ', '')).toBe(number);
});

test('days and sizes are written for people, and what is no day is left alone', () => {
  expect(dateOf('2026-12-25', 'en')).toBe('Dec 25, 2026');
  expect(dateOf('some day', 'en')).toBe('some day');
  expect([size(900, 'en'), size(4_200_000, 'en'), size(187_400_000, 'en'), size(2_500_000_000, 'en')]).toEqual(['0.9 kB', '4.2 MB', '187 MB', '2.5 GB']);
});
