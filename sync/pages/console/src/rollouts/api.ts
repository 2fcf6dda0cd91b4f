// What the console asks of roll-outs, templates and tags; the shapes of cloudd's routes.
import { cloud } from '../cloud';
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

export const rollouts = (): Promise<RolloutLine[]> => cloud.getRollouts();
export const begin = (fresh: Fresh) => cloud.postRollouts(fresh);
export const look = (changes: Change[], sites: string[], overrule: boolean) =>
  cloud.postRolloutsLook({ changes, sites, overrule }) as Promise<{ sites: Looked[]; destructive: boolean }>;
export const say = (rollout: number, word: Word) => cloud.postRolloutsRolloutSay(rollout, { say: word });
export const agree = (rollout: number) => cloud.postRolloutsRolloutAgreement(rollout);
export const templates = (): Promise<Template[]> => cloud.getTemplates();
export const keepTemplate = (name: string, label: string, changes: Change[]) => cloud.putTemplatesTemplate(name, { label, changes });
export const dropTemplate = (name: string) => cloud.deleteTemplatesTemplate(name);
export const setTags = (site: string, tags: string[]) => cloud.putSitesSiteTags(site, { tags });
