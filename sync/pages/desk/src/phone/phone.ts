// The page as the agent's telephone: whether it is one, its line to the box, and the calls on it.
import { useSyncExternalStore } from 'react';
import { Refusal } from '@shared/api';
import * as api from '../api';
import type { AgentLine } from '../api';
import { mayListen, microphone, release } from './devices';
import type { Ears, Leg, Line, Stage } from './line';
import type { ring } from './ring';

/** Why the page is no telephone though it should be. */
export type Trouble = 'insecure' | 'microphone' | 'no_phone' | 'unreachable' | 'elsewhere';

export interface Call {
  stage: Stage;
  number: string;
  muted: boolean;
}

export interface PhoneState {
  /** `on` is what the person wants; `ready`: calls reach this page. */
  on: boolean;
  ready: boolean;
  trouble: Trouble | null;
  call: Call | null;
  auto: boolean;
}

const ON = 'branchline.phone';
const AUTO = 'branchline.phone.auto';
/** The box's close codes for an ended session, and for a line that another page has. */
const SIGNED_OUT = 4001;
const ELSEWHERE = 4002;
/** The person has dialled: their own telephone rings within this. */
const DIALLED_MS = 15_000;
const AGAIN_MS = 3_000;
const REFUSALS_MAX = 3;

export class Phone {
  private state: PhoneState;
  /** It comes with the line: nothing rings before. */
  private bell: typeof ring | null = null;
  private readonly listeners = new Set<() => void>();
  private line: Line | null = null;
  private leg: Leg | null = null;
  private own: AgentLine | null = null;
  private dialled = -Infinity;
  private refusals = 0;
  private timer: number | undefined;
  /** Grows with every start and stop: what was begun before is of no interest. */
  private life = 0;

  constructor() {
    this.state = {
      on: localStorage.getItem(ON) === 'on',
      ready: false,
      trouble: null,
      call: null,
      auto: localStorage.getItem(AUTO) === 'on',
    };
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = () => this.state;

  /** For as long as the desk is open. */
  readonly live = () => {
    if (this.state.on) void this.open();
    return () => this.close();
  };

  switchOn() {
    localStorage.setItem(ON, 'on');
    if ('Notification' in window && Notification.permission === 'default') void Notification.requestPermission();
    this.set({ on: true });
    void this.open();
  }

  switchOff() {
    localStorage.removeItem(ON);
    this.close();
    this.set({ on: false, trouble: null });
    void api.returnPhone().catch(() => {});
  }

  setAuto(auto: boolean) {
    if (auto) localStorage.setItem(AUTO, 'on');
    else localStorage.removeItem(AUTO);
    this.set({ auto });
    this.consider();
  }

  /** What the box says of this agent; a call that is ours already is answered for the person. */
  saw(own: AgentLine | null) {
    this.own = own;
    this.consider();
  }

  /** The person has asked the box to dial: it rings here first. */
  expect() {
    this.dialled = performance.now();
  }

  /** Rings until what it returns is called. */
  ring = (title: string, body: string) => this.bell?.(title, body);
  answer = () => this.leg?.answer();
  hangUp = () => this.leg?.end();
  mute = () => this.leg?.mute(!this.leg.muted);
  key = (key: string) => this.leg?.key(key);

  /** Another microphone or loudspeaker was chosen. */
  async devicesChanged() {
    const { leg } = this;
    await leg?.hearOn();
    if (leg?.stage === 'talking') await leg.speakFrom(await microphone());
  }

  private set(part: Partial<PhoneState>) {
    this.state = { ...this.state, ...part };
    for (const listener of this.listeners) listener();
  }

  private show() {
    const { leg } = this;
    this.set({ call: leg && { stage: leg.stage, number: leg.number, muted: leg.muted } });
  }

  private async open() {
    this.close();
    const life = this.life;
    const fails = (trouble: Trouble) => life === this.life && this.set({ trouble, ready: false });
    this.set({ trouble: null });
    if (!mayListen()) return fails('insecure');
    try {
      // Asked for here, so that no question stands between a caller and an answer.
      release(await microphone());
    } catch {
      return fails('microphone');
    }
    try {
      const [{ Line, ring }, account] = await Promise.all([import('./line'), api.phone()]);
      this.bell = ring;
      if (life !== this.life) return;
      this.line = new Line(account, this.ears(life));
      this.line.start();
    } catch (error) {
      if (error instanceof Refusal && error.code === 'no_phone') return fails('no_phone');
      fails('unreachable');
      this.again(life);
    }
  }

  private again(life: number) {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => life === this.life && void this.open(), AGAIN_MS);
  }

  private close() {
    this.life += 1;
    window.clearTimeout(this.timer);
    const { line } = this;
    this.line = null;
    this.leg = null;
    line?.stop();
    if (this.state.ready || this.state.call !== null) this.set({ ready: false, call: null });
  }

  private ears(life: number): Ears {
    const now = () => life === this.life;
    return {
      registered: () => {
        if (!now()) return;
        this.refusals = 0;
        this.set({ ready: true, trouble: null });
        this.consider();
      },
      lost: (code) => {
        if (!now()) return;
        this.set({ ready: false });
        // The desk's own connection tells of an ended session.
        if (code === SIGNED_OUT) this.close();
        if (code === ELSEWHERE) {
          this.close();
          this.set({ trouble: 'elsewhere' });
        }
      },
      refused: () => {
        if (!now()) return;
        this.set({ ready: false });
        // The box may have begun anew, and knows nothing of the account.
        this.refusals += 1;
        if (this.refusals <= REFUSALS_MAX) this.again(life);
        else this.set({ trouble: 'unreachable' });
      },
      rings: (leg) => {
        if (!now()) return leg.end();
        // A box that rings here believes that no other call is here: what still looks like one broke on the way.
        this.leg?.end();
        this.leg = leg;
        this.show();
        this.consider();
      },
      changed: () => now() && this.show(),
      over: (leg) => {
        if (leg === this.leg) this.leg = null;
        if (now()) this.show();
      },
      deaf: () => now() && this.set({ trouble: 'microphone' }),
    };
  }

  /** Answers what needs no finger. */
  private consider() {
    const { own, leg } = this;
    if (own === null) return;
    if (leg?.stage === 'ringing') {
      const back = own.contact?.away === true;
      const asked = performance.now() - this.dialled < DIALLED_MS;
      if (back || asked || (this.state.auto && own.state === 'offered')) {
        this.dialled = -Infinity;
        leg.answer();
      }
    }
  }
}

export function usePhone(phone: Phone): PhoneState {
  return useSyncExternalStore(phone.subscribe, phone.snapshot);
}
