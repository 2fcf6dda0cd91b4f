import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NoteKeeper, SAVE_MS, SAVE_MS_MAX, type Kept, type Stored } from '../desk/src/card/note';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A box that answers when it is told to. */
class Double {
  written: [string, number, boolean][] = [];
  answers: ((kept: Kept) => void)[] = [];
  stands: Stored | null = { version: 0, text: '' };
  write = (text: string, base: number, last: boolean) => {
    this.written.push([text, base, last]);
    return new Promise<Kept>((answer) => this.answers.push(answer));
  };
  read = () => Promise.resolve(this.stands);
  async answer(kept: Kept) {
    this.answers.shift()?.(kept);
    await vi.advanceTimersByTimeAsync(0);
  }
}

function begin(stored: Stored = { version: 0, text: '' }) {
  const box = new Double();
  return { box, note: new NoteKeeper(stored, box) };
}

test('a note is written once, a moment after the last key, and is said to be saved when the box says so', async () => {
  const { box, note } = begin();
  for (const text of ['W', 'Wa', 'Wants blue']) {
    note.type(text);
    await vi.advanceTimersByTimeAsync(SAVE_MS - 100);
  }
  expect([note.state, box.written]).toEqual(['waits', []]);
  await vi.advanceTimersByTimeAsync(100);
  expect([note.state, box.written]).toEqual(['saving', [['Wants blue', 0, false]]]);
  await box.answer({ version: 1 });
  expect(note.state).toBe('same');
});

test('who types without a pause is saved all the same, and one writing follows the other', async () => {
  const { box, note } = begin();
  for (let ms = 0; ms < SAVE_MS_MAX + SAVE_MS; ms += 100) {
    note.type(`x${ms}`);
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(box.written.length).toBe(1);
  await box.answer({ version: 1 });
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  expect(box.written.length).toBe(2);
  expect(box.written[1]?.[1]).toBe(1);
});

test('while the box does not answer it is tried again, and says so', async () => {
  const { box, note } = begin();
  note.type('x');
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  await box.answer('failed');
  expect(note.state).toBe('failed');
  await vi.advanceTimersByTimeAsync(2_000);
  note.type('xy');
  await box.answer('failed');
  await vi.advanceTimersByTimeAsync(4_000);
  expect(box.written.at(-1)).toEqual(['xy', 0, false]);
  await box.answer({ version: 1 });
  expect(note.state).toBe('same');
});

test('an answer that was lost is no conflict, another window is', async () => {
  const { box, note } = begin({ version: 1, text: 'one' });
  note.type('one two');
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  box.stands = { version: 2, text: 'one two' };
  await box.answer('changed');
  expect(note.state).toBe('same');
  note.type('one two three');
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  box.stands = { version: 5, text: 'from elsewhere' };
  await box.answer('changed');
  expect([note.state, note.theirs?.text, note.text]).toEqual(['changed', 'from elsewhere', 'one two three']);
  note.keepMine();
  expect(box.written.at(-1)).toEqual(['one two three', 5, false]);
  await box.answer({ version: 6 });
  expect(note.state).toBe('same');
});

test('the other window can be given its way', async () => {
  const { box, note } = begin();
  note.type('mine');
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  box.stands = { version: 3, text: 'theirs' };
  await box.answer('changed');
  note.takeTheirs();
  expect([note.state, note.text, box.written.length]).toEqual(['same', 'theirs', 1]);
});

test('a page that goes away sends what it has not sent', async () => {
  const { box, note } = begin();
  note.flush();
  expect(box.written).toEqual([]);
  note.type('last words');
  note.flush();
  expect(box.written).toEqual([['last words', 0, true]]);
  await box.answer({ version: 1 });
  await vi.advanceTimersByTimeAsync(10_000);
  expect([note.state, box.written.length]).toEqual(['same', 1]);
});

test('a field that is left sends what it has not sent, and what is not kept is left to whoever comes back', async () => {
  const { box, note } = begin();
  const left: (string | null)[] = [];
  note.type('one');
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  note.type('one two');
  note.leave((text) => left.push(text));
  expect([box.written.at(-1), left]).toEqual([['one two', 1, true], ['one two']]);
  await box.answer({ version: 1 });
  await box.answer('failed');
  await vi.advanceTimersByTimeAsync(60_000);
  expect([box.written.length, left]).toEqual([2, ['one two']]);
  // Kept after all.
  const other = begin();
  other.note.type('x');
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  other.note.leave((text) => left.push(text));
  await other.box.answer({ version: 1 });
  expect([other.box.written.length, left]).toEqual([1, ['one two', 'x', null]]);
});

test('what is erased is written no more', async () => {
  const { box, note } = begin();
  note.type('x');
  await vi.advanceTimersByTimeAsync(SAVE_MS);
  await box.answer('erased');
  note.type('xy');
  await vi.advanceTimersByTimeAsync(60_000);
  expect([note.state, box.written.length]).toEqual(['erased', 1]);
});
