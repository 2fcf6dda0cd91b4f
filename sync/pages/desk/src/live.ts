// The live connection to the box: the board as it is, commands with their answers, and reconnecting for ever.
import { useSyncExternalStore } from 'react';
import type { Ask, Board, ChatMessage, Me, RefusedCode, Say, TicketNews } from './api';

export interface State {
  /** `lost`: it was there, and is being looked for again. */
  link: 'connecting' | 'live' | 'lost';
  me: Me | null;
  board: Board | null;
  /** When the board came, by this machine's steady clock: its spans count on from there. */
  at: number;
  /** Grows whenever another configuration runs. */
  config: number;
  /** Grows with everything that happens to a ticket; the last of it. */
  tickets: number;
  ticket: TicketNews | null;
  /** What was said last; null: nothing yet, or more than could be told. */
  chat: ChatMessage | null;
}

export type Answer = 'done' | RefusedCode | 'lost';

/** The box sends a board every 10 s at least; two missed and a bit. */
const SILENCE_MS_MAX = 25_000;
const WAIT_MS_FIRST = 400;
const WAIT_MS_MAX = 8_000;
/** The box's close code for an ended session. */
const SIGNED_OUT = 4001;

export class Live {
  private state: State = { link: 'connecting', me: null, board: null, at: 0, config: 0, tickets: 0, ticket: null, chat: null };
  private readonly listeners = new Set<() => void>();
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private socket: WebSocket | null = null;
  private nextId = 1;
  private failures = 0;
  private timer: number | undefined;
  private watchdog: number | undefined;
  private stopped = false;

  constructor(private readonly signedOut: () => void) {}

  readonly start = () => {
    this.stopped = false;
    window.addEventListener('online', this.hurry);
    document.addEventListener('visibilitychange', this.hurry);
    this.open();
    return () => {
      this.stopped = true;
      window.removeEventListener('online', this.hurry);
      document.removeEventListener('visibilitychange', this.hurry);
      window.clearTimeout(this.timer);
      window.clearTimeout(this.watchdog);
      const socket = this.socket;
      this.socket = null;
      socket?.close();
    };
  };

  /** Asks the floor for something, and tells what came of it once that is durable. */
  readonly ask = (ask: Ask): Promise<Answer> => {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.resolve('lost');
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, ...ask }));
    });
  };

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = () => this.state;

  private set(part: Partial<State>) {
    this.state = { ...this.state, ...part };
    for (const listener of this.listeners) listener();
  }

  private open() {
    const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${window.location.host}/api/desk`);
    this.socket = socket;
    this.watch();
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.watch();
      this.hear(JSON.parse(String(event.data)) as Say);
    };
    socket.onclose = (event) => {
      if (socket !== this.socket) return;
      this.gone(event.code === SIGNED_OUT);
    };
  }

  private hear(say: Say) {
    if (say === 'config') this.set({ config: this.state.config + 1 });
    else if (say === 'chat_missed') this.set({ chat: null });
    else if ('chat' in say) this.set({ chat: say.chat });
    else if ('ticket' in say) this.set({ tickets: this.state.tickets + 1, ticket: say.ticket });
    else if ('me' in say) this.set({ me: say.me });
    else if ('board' in say) {
      this.failures = 0;
      this.set({ link: 'live', board: say.board, at: performance.now() });
    } else if ('ack' in say) this.answer(say.ack.id, 'done');
    else if ('refused' in say && say.refused.id !== null) this.answer(say.refused.id, say.refused.code);
  }

  private answer(id: number, answer: Answer) {
    this.waiting.get(id)?.(answer);
    this.waiting.delete(id);
  }

  private gone(ended: boolean) {
    window.clearTimeout(this.watchdog);
    this.socket = null;
    for (const id of [...this.waiting.keys()]) this.answer(id, 'lost');
    if (this.stopped) return;
    if (ended) return this.signedOut();
    this.set({ link: this.state.board === null ? 'connecting' : 'lost' });
    // Full jitter: a whole branch reconnects after a restart of the box.
    const most = Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** this.failures++);
    this.timer = window.setTimeout(() => this.open(), 100 + Math.random() * most);
    // A refused upgrade tells a page nothing; an ended session would be retried for ever.
    if (this.failures % 3 === 0) {
      void fetch('/api/me').then((response) => response.status === 401 && this.signedOut(), () => {});
    }
  }

  private watch() {
    window.clearTimeout(this.watchdog);
    const socket = this.socket;
    this.watchdog = window.setTimeout(() => {
      if (socket !== this.socket || socket === null) return;
      socket.close();
      this.gone(false);
    }, SILENCE_MS_MAX);
  }

  private readonly hurry = () => {
    if (this.socket !== null || this.stopped || document.hidden) return;
    window.clearTimeout(this.timer);
    this.open();
  };
}

export function useLive(live: Live): State {
  return useSyncExternalStore(live.subscribe, live.snapshot);
}
