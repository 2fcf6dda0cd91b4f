// What the console asks of the cloud, by the client that is generated from its interface: what is written here must fit.
import { cloud } from './cloud';
import type { Decision } from '@shared/history/merge';
import type { Alone, Blame, Change, Config, Difference, Doc, Drill, Entry, Figures, Finding, Flow, FlowProblem, MergeReport, Undone, What } from '@shared/model';

export const ROLES = ['administrator', 'site_administrator', 'supervisor', 'analyst', 'compliance', 'viewer'] as const;
export type Role = (typeof ROLES)[number];
/** Those that can be had for some of the branches. */
export const SCOPED: readonly Role[] = ['site_administrator', 'supervisor', 'analyst', 'viewer'];

export type Verb =
  | 'see_sites' | 'see_configuration' | 'change_configuration' | 'see_figures' | 'enrol' | 'see_boxes' | 'revoke_box'
  | 'offer_bundle' | 'see_audit' | 'answer_notice' | 'see_people' | 'change_people' | 'group_sites' | 'roll_out' | 'drill';

export interface Me {
  login: string;
  role: Role;
  /** Null: all branches. */
  sites: string[] | null;
  may: Verb[];
}

export interface Person {
  login: string;
  role: Role;
  /** Null: all branches. */
  sites: string[] | null;
  created: number;
  disabled: number | null;
  signed_in: number | null;
  /** Of the identity provider that vouches for them; null: they have a password here. */
  issuer: string | null;
}

/** A program that uses the interface. */
export interface TokenLine {
  name: string;
  role: Role;
  /** Null: all branches. */
  sites: string[] | null;
  created: number;
  created_by: string;
  /** Null: until it is revoked. */
  expires: number | null;
  used: number | null;
  revoked: number | null;
}

export interface Health {
  at: number;
  processes_up: number;
  restarts: number;
  disk_free_percent: number;
  phones_registered: number;
  trunks_up: number;
  trunks: number;
  intervals_closed: number;
  slot: number;
  version: number[];
  /** How long it can run cut off. */
  alone: Alone[];
}

export interface SiteLine {
  site: string;
  label: string;
  tags: string[];
  /** An outage drill that is ordered, and not reported yet. */
  drill: Drill | null;
  /** It is not linked for that reason. */
  drill_apart: boolean;
  linked: boolean;
  last_heard_ms_ago: number | null;
  data_age_s: number | null;
  /** Intervals received ÷ closed, 0 to 1; null before the branch has closed any. */
  completeness: number | null;
  software: string | null;
  health: Health | null;
  findings: { repaired: number; warning: number; fatal: number };
}

export interface SiteConfig {
  config: Config;
  findings: Finding[];
  heads: unknown;
  /** The branch has not confirmed that it has everything. */
  pending: boolean;
}

export interface HistoryEntry extends Entry {
  /** What was asked for. Null for what the branch edited: it arrives as fields alone. */
  change: Change | { undo: { doc: Doc; seq: number } } | { decide: { path: string } } | { apply: { base: string } } | { take_back: { rollout: number } } | null;
}

export interface Cell {
  site: string;
  /** Null: small queues of the site, folded together. */
  queue: string | null;
  start: number;
  length_s: number;
  figures: Figures;
  revision: number;
}

/** A draft of a flow, and what is wrong with it. */
export interface LookedAt {
  flow: Flow;
  text: string;
  found: { at: string | null; grave: boolean; problem: FlowProblem }[];
  ends: { at: string; road: string[] }[];
}

/** What is wrong with a flow is a flow's problem, and none of a configuration's others. */
export const flowOf = (text: string) => cloud.postFlowsRead({ text }) as Promise<LookedAt>;
export const textOf = (flow: Flow) => cloud.postFlowsPrint(flow) as Promise<LookedAt>;
export const flowVersions = (site: string, flow: string): Promise<{ replaced: number; flow: Flow }[]> => cloud.getSitesSiteFlowsFlowVersions(site, flow);

export interface FiguresAnswer {
  figures: Cell[];
  completeness: Record<string, number | null>;
}

/** Numbers of intervals: those that are expected have arrived or are missing; isolated and late came after their time. */
export interface Counts {
  expected: number;
  arrived: number;
  isolated: number;
  late: number;
}

/** One stretch of time, summed over branches. */
export interface Bin extends Figures, Counts {
  start: number;
  /** Intervals that arrived without figures of their own: too few callers to be told, or none. */
  small: number;
}

export interface TrendSite extends Counts {
  site: string;
  linked: boolean;
  data_age_s: number | null;
  /** Whether its box says how far it counts. */
  known: boolean;
  known_until: number | null;
  lateness_ms_max: number;
  queues: string[];
}

export interface TrendAnswer {
  now: number;
  length_s: number;
  bins: Bin[];
  queues: { queue: string; bins: Bin[] }[];
  branches: { site: string; bins: Bin[] }[];
  sites: TrendSite[];
}

/** What came about intervals whose time was over. */
export interface Correction {
  site: string;
  kind: 'late' | 'revised';
  first_received: number;
  last_received: number;
  since: number;
  until: number;
  intervals: number;
  cells: number;
  difference: Figures;
}

export interface AuditEntry {
  seq: number;
  at: number;
  who: string;
  what: string;
  detail: unknown;
}

export interface BoxLine {
  box: string;
  site: string;
  enrolled: number;
  certificate_until: number | null;
  revoked: number | null;
  linked: boolean;
  linked_since: number | null;
  /** Rows of its outbox that have not arrived; null while it is not linked. */
  behind: number | null;
  /** How far its clock is ahead of the server's. */
  skew_ms: number | null;
  media: boolean | null;
  software: string | null;
  health: Health | null;
  /** How far its list of what left was witnessed here; null when it has shown nothing. */
  egress: { line: number; at: number; disputed: number } | null;
}

export interface Bundle {
  name: string;
  /** `1.2.3`; empty when the file's name does not say. */
  version: string;
  sha256: string;
  size: number;
  added: number;
  offered_to: string[];
}

export interface NoticeLine {
  site: string;
  site_label: string | null;
  notice: string;
  at: number;
  received: number;
  what: What;
  alarm: boolean;
  place: string | null;
  /** The label of the trunk that it is about. */
  trunk: string | null;
  seen_by: string | null;
  seen: number | null;
}

export const me = (): Promise<Me> => cloud.getMe();
export const signIn = (login: string, password: string) => cloud.postSession({ login, password });
export const signOut = () => cloud.deleteSession();
export const sites = (): Promise<SiteLine[]> => cloud.getSites();
export const config = (site: string, then: number | null = null): Promise<SiteConfig> => cloud.getSitesSiteConfig(site, then === null ? {} : { at: then });
export const change = (site: string, doc: Doc, changes: Change[]) => cloud.postSitesSiteChanges(site, { doc, changes });
export const history = (site: string, under: string, skip: number): Promise<{ entries: HistoryEntry[]; more: boolean }> =>
  cloud.getSitesSiteHistory(site, { under, skip }) as Promise<{ entries: HistoryEntry[]; more: boolean }>;
export const blame = (site: string): Promise<Blame[]> => cloud.getSitesSiteBlame(site);
export const diff = (site: string, from: number, to: number | null): Promise<{ from: number; to: number; differences: Difference[] }> =>
  cloud.getSitesSiteDiff(site, to === null ? { from } : { from, to });
export const undo = (site: string, doc: Doc, seq: number): Promise<{ findings: Finding[]; undone: Undone }> => cloud.postSitesSiteUndo(site, { doc, seq });
export const merge = (site: string): Promise<MergeReport> => cloud.getSitesSiteMerge(site);
export const decide = (site: string, decision: Decision) => cloud.postSitesSiteMerge(site, decision);
export const enrol = (site: string) => cloud.postSitesSiteEnrolment(site);
export const changePassword = (old: string, wanted: string) => cloud.putMePassword({ old, new: wanted });
export const singleSignOn = () => cloud.getSingleSignOn();
export const people = (): Promise<Person[]> => cloud.getPeople();
export const addPerson = (login: string, role: Role, only: string[] | null) => cloud.postPeople({ login, role, sites: only });
export const setPerson = (login: string, role: Role, only: string[] | null, disabled: boolean) => cloud.putPeopleLogin(login, { role, sites: only, disabled });
export const newPassword = (login: string) => cloud.postPeopleLoginPassword(login);
export const tokens = (): Promise<TokenLine[]> => cloud.getTokens();
export const addToken = (name: string, role: Role, only: string[] | null, days: number | null) => cloud.postTokens({ name, role, sites: only, days });
export const revokeToken = (name: string) => cloud.postTokensTokenRevocation(name);
export const notices = (): Promise<NoticeLine[]> => cloud.getNotices();
export const noticeSeen = (line: NoticeLine) => cloud.postNoticesSiteNoticeSeen(line.site, line.notice);
export const boxes = (): Promise<BoxLine[]> => cloud.getBoxes();
export const revoke = (box: string) => cloud.postBoxesBoxRevocation(box);
export const bundles = (): Promise<Bundle[]> => cloud.getBundles();
export const offer = (site: string, sha256: string) => cloud.postSitesSiteBundle(site, { sha256 });
export const figures = (from: number, to: number, length_s: number): Promise<FiguresAnswer> => cloud.getFigures({ from, to, length_s });
export const trends = (q: { from: number; to: number; length_s: number; offset_s: number; sites: string[]; queues: string[]; apart: string }): Promise<TrendAnswer> =>
  cloud.getTrends({ ...q, sites: q.sites.join(','), queues: q.queues.join(',') });
export const corrections = (since: number): Promise<{ corrections: Correction[]; more: boolean }> => cloud.getCorrections({ since });
export const audit = (before: number | null): Promise<{ entries: AuditEntry[]; broken_at: number | null }> => cloud.getAudit(before === null ? {} : { before });
