// What the console asks of roll-outs, templates and tags; the shapes of cloudd's routes.
import { get, post, put, remove } from '@shared/api';
import type { Change, Difference, Finding } from '@shared/model';

export type Fare = 'few' | 'as_before' | 'worse';
export type Standing = 'waiting' | 'written' | 'runs' | 'passed' | 'alike' | 'taken_back' | 'stuck';
export type State = 'awaits_second' | 'running' | 'held' | 'reverting' | 'reverted' | 'done' | 'unreadable';
export type Why = 'person' | 'calls_fell' | 'refused' | 'unfit' | 'silent' | 'restless';

export interface RolloutSite {
  site: string;
  label: string | null;
  is: Standing;
  since: number;
  linked: boolean;
  calls: Fare;
  /** Of what was taken back: fields that somebody wrote since. */
  left?: number;
}

export interface RolloutLine {
  rollout: number;
  label: string;
  state: State;
  why?: Why;
  /** With `why`: which branch; null where it is none that one may see. */
  site: string | null;
  stopped_by: string | null;
  /** Null where it cannot be read. */
  by: string | null;
  created: number;
  changes: Change[];
  overrule: boolean;
  /** Counted from 0. */
  wave: number;
  waves: RolloutSite[][];
  soak_ms: number;
  patience_ms: number;
  wants_calls: boolean;
}

export interface Template {
  template: string;
  label: string;
  changes: Change[];
  destructive: boolean;
  author: string;
  at: number;
}

/** What changes would do at one branch. */
export interface Looked {
  site: string;
  label: string;
  fits: boolean;
  refused: [number, string] | null;
  differences: Difference[];
  findings: Finding[];
}

export interface Fresh {
  label: string;
  changes: Change[];
  overrule: boolean;
  sites: string[];
  canaries: string[];
  shares: number[];
  soak_s: number;
  patience_s: number;
  wants_calls: boolean;
}

export type Word = 'pause' | 'resume' | 'take_back' | 'go_on';

export const rollouts = () => get<RolloutLine[]>('/api/rollouts');
export const begin = (fresh: Fresh) => post<{ rollout: number; awaits_second: boolean }>('/api/rollouts', fresh);
export const look = (changes: Change[], sites: string[], overrule: boolean) =>
  post<{ sites: Looked[]; destructive: boolean }>('/api/rollouts/look', { changes, sites, overrule });
export const say = (rollout: number, word: Word) => post<void>(`/api/rollouts/${rollout}/say`, { say: word });
export const agree = (rollout: number) => post<void>(`/api/rollouts/${rollout}/agreement`, {});
export const templates = () => get<Template[]>('/api/templates');
export const keepTemplate = (name: string, label: string, changes: Change[]) => put(`/api/templates/${encodeURIComponent(name)}`, { label, changes });
export const dropTemplate = (name: string) => remove(`/api/templates/${encodeURIComponent(name)}`);
export const setTags = (site: string, tags: string[]) => put(`/api/sites/${encodeURIComponent(site)}/tags`, { tags });
