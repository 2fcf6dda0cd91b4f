// A note on its way to the box: kept a moment after the last key, one writing after the other, and tried until it is there.

/** After the last key. */
export const SAVE_MS = 600;
/** Whoever types without a pause is saved this often all the same. */
export const SAVE_MS_MAX = 3_000;
const RETRY_MS_MIN = 2_000;
const RETRY_MS_MAX = 15_000;

export type NoteState = 'same' | 'waits' | 'saving' | 'failed' | 'changed' | 'erased';

export interface Stored {
  version: number;
  text: string;
}

/** What became of a writing: its version, or why not. */
export type Kept = { version: number } | 'changed' | 'erased' | 'failed';

export interface Box {
  /** `last`: the page goes away, and waits for no answer. */
  write: (text: string, base: number, last: boolean) => Promise<Kept>;
  /** What stands; null: it cannot be read. */
  read: () => Promise<Stored | null>;
}

export class NoteKeeper {
  text: string;
  state: NoteState = 'same';
  /** What stands on the box, where it was changed from elsewhere. */
  theirs: Stored | null = null;
  private stored: Stored;
  /** The last text that was sent: an answer may have been lost. */
  private sent: string | null = null;
  private due: number | null = null;
  private left: ((text: string | null) => void) | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry = RETRY_MS_MIN;
  private listeners = new Set<() => void>();

  constructor(stored: Stored, private readonly box: Box) {
    this.stored = stored;
    this.text = stored.text;
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  type(text: string) {
    this.text = text;
    if (this.state === 'erased') return this.tell();
    const now = Date.now();
    this.due ??= now + SAVE_MS_MAX;
    if (this.state === 'same') this.state = 'waits';
    if (this.state === 'waits') this.after(Math.max(0, Math.min(SAVE_MS, this.due - now)));
    this.tell();
  }

  /** The page may go away: what waits goes out now. */
  flush() {
    if (this.state !== 'waits' && this.state !== 'failed') return;
    clearTimeout(this.timer);
    void this.save(true);
  }

  /** Nobody looks at it any more. `left` hears what may not be kept yet, and null when it is: nothing is tried again here,
   *  for somebody else may sit at this page by then. */
  leave(left: (text: string | null) => void) {
    clearTimeout(this.timer);
    this.left = left;
    if (this.state === 'same' || this.state === 'erased') return;
    left(this.text);
    // What is under way may be kept before this arrives: then the base is the next one.
    const under = this.state === 'saving';
    if (under && this.text === this.sent) return;
    void this.box.write(this.text, this.stored.version + (under ? 1 : 0), true).then((kept) => typeof kept === 'object' && left(null));
  }

  keepMine() {
    if (this.theirs === null) return;
    this.stored = this.theirs;
    this.theirs = null;
    void this.save();
  }

  takeTheirs() {
    if (this.theirs === null) return;
    this.stored = this.theirs;
    this.text = this.theirs.text;
    this.theirs = null;
    this.set('same');
  }

  private after(ms: number) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.save(), ms);
  }

  private async save(last = false) {
    const text = this.text;
    if (text === this.stored.text) return this.set('same');
    this.due = null;
    this.sent = text;
    this.set('saving');
    const kept = await this.box.write(text, this.stored.version, last);
    if (this.left !== null) {
      if (typeof kept === 'object' && this.text === text) this.left(null);
      return;
    }
    if (typeof kept === 'object') return this.done({ version: kept.version, text });
    if (kept === 'erased') return this.set('erased');
    if (kept === 'failed') return this.later();
    const stands = await this.box.read();
    if (stands === null) return this.later();
    // Our own writing, whose answer was lost.
    if (stands.text === this.sent || stands.text === this.text) return this.done(stands);
    this.theirs = stands;
    this.set('changed');
  }

  private done(stored: Stored) {
    this.stored = stored;
    this.retry = RETRY_MS_MIN;
    if (this.text === stored.text) return this.set('same');
    this.set('waits');
    this.after(SAVE_MS);
  }

  private later() {
    this.set('failed');
    this.after(this.retry);
    this.retry = Math.min(this.retry * 2, RETRY_MS_MAX);
  }

  private set(state: NoteState) {
    this.state = state;
    this.tell();
  }

  private tell() {
    for (const listener of this.listeners) listener();
  }
}
