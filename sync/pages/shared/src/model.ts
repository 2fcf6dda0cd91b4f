// The JSON of sync/model, by hand. `cargo test -p pages` writes samples from the Rust types that must fit these.

export type Doc = 'org' | 'site' | 'local';
export type Locality = 'local_only' | 'may_leave';
export type SipTransport = 'udp' | 'tcp' | 'tls';

export interface Config {
  site: Site;
  queues: Record<string, Queue>;
  agents: Record<string, Agent>;
  phones: Record<string, Phone>;
  trunks: Record<string, Trunk>;
  /** Public number → flow. */
  numbers: Record<string, string>;
  flows: Record<string, Flow>;
  hours: Record<string, Hours>;
  places: Record<string, Place>;
}

export interface Site {
  id: string;
  label: string;
  time_zone: string;
  emergency: string[];
  outward: string | null;
  dialling: Dialling;
  /** No queue takes new contacts. */
  closed: boolean;
  /** Why an agent may be not ready, as people read it. */
  pauses: Record<string, string>;
  /** What may have come of a contact, as people read it. */
  dispositions: Record<string, string>;
  /** Of calls that belong to no queue. */
  recording: Directions;
}

export interface Dialling {
  prefix: string;
  country: string;
  national: string;
  international: string;
  abroad: string[];
  premium: string[];
  backup: string[];
  groups: Record<string, TrunkGroup>;
  outward: string | null;
  phone_hour_max: number;
  site_hour_max: number;
  phone_calls_max: number;
  /** Cents a minute: at home, abroad, and by the beginnings of numbers. */
  home_cents: number;
  abroad_cents: number;
  tariffs: Record<string, number>;
  phone_hour_cents_max: number;
  site_hour_cents_max: number;
  place: string | null;
  test_number: string | null;
  test_hour: number;
  confirm_days: number;
}

export type Protection = 'clear' | 'preferred' | 'required' | 'required_openly';

export interface TrunkGroup {
  label: string;
  members: GroupMember[];
  hours: string | null;
}

export interface GroupMember {
  trunk: string;
  /** 0 to 9, the lowest first. */
  order: number;
  /** 0 to 100; 0 only when every other has failed. */
  weight: number;
}

export type Spelling = 'as_dialled' | 'plus' | 'digits' | 'national';

export interface Place {
  label: string;
  country: string;
  state: string;
  city: string;
  street: string;
  house: string;
  floor: string;
  room: string;
  trunk: string | null;
  /** A day, `2026-11-28`; empty for never. */
  confirmed: string;
  send_location: boolean;
}

export interface Queue {
  label: string;
  /** Skill → level, 1 to 10. */
  skills: Record<string, number>;
  music: string;
  position_every_s: number;
  ring_s: number;
  wrap_up_s: number;
  service_level_s: number;
  hours: string | null;
  recorded: boolean;
  recording: Recording;
  /** Takes no new contacts, by somebody's hand. */
  closed: boolean;
  overflow: { locality: Locality; after_s: number; to: string[] };
  routing: Routing;
  callback: Callback;
  dispositions: Dispositions;
  alerts: Alerts;
}

/** How calls are recorded where they are. */
export interface Recording {
  consent: Consent;
  /** How long an agent may pause; 0: not at all. */
  pause_s: number;
}

/** What the customer's word counts for. */
export type Consent = 'not_asked' | 'unless_refused' | 'when_given';

/** Calls that belong to no queue; null: not recorded. */
export interface Directions {
  inward: Recording | null;
  outward: Recording | null;
  inside: Recording | null;
}

/** When supervisors are to look up; null: that is not watched. */
export interface Alerts {
  longest_wait_s: number | null;
  waiting: number | null;
  /** Percent. */
  service_level: number | null;
  abandoned: number | null;
  unserved: boolean;
  quality: boolean;
}

/** What a queue asks of whoever writes a contact up. */
export interface Dispositions {
  /** Codes of the site that fit; none: all of them. */
  only: string[];
  /** The wrap-up ends by hand only when one is named. */
  required: boolean;
}

/** How customers of a queue are called back. */
export interface Callback {
  /** Expected wait, in seconds, from which the queue offers it. */
  offer_after_s: number | null;
  attempts: number;
  again_min: number;
  /** Null: the queue's own hours. */
  hours: string | null;
}

export type Strategy = 'longest_idle' | 'least_occupied' | 'most_skilled' | 'round_robin';

/** How a queue chooses. */
export interface Routing {
  strategy: Strategy;
  /** Seconds after which a contact comes before all others. */
  ageing_s: number;
  /** Seconds a contact waits for the agent it knows. */
  last_agent_s: number;
  tiers: Tier[];
  /** The last ready agents are kept for customers from this value up. */
  reserve: { agents: number; value: number };
}

/** Opens after some seconds, or when more than some number wait. */
export interface Tier {
  after_s: number | null;
  longer_than: number | null;
  levels_less: number;
  also: string[];
}

/** What a flow's step asks for beyond the queue. */
export interface Asks {
  /** 0 to 4. */
  value: number;
  skills: Record<string, number>;
}

export interface Agent {
  badge: string;
  phone: string | null;
  skills: Record<string, number>;
  queues: string[];
}

export interface Phone {
  label: string;
  number: string | null;
  place: string | null;
  protection: Protection;
  forward: Forward;
}

/** Where calls to a phone go instead, as the phone itself would dial it. */
export interface Forward {
  always: string | null;
  busy: string | null;
  no_answer: string | null;
  /** Seconds. */
  after_s: number;
  unregistered: string | null;
}

export interface Trunk {
  label: string;
  kind: TrunkKind;
  calls_max: number;
  behind_nat: boolean;
  spelling: Spelling;
  protection: Protection;
  carrier: Carrier;
}

/** How the carrier or gateway behind a trunk is treated. */
export interface Carrier {
  /** Host and optional port; empty for a peer known by its address alone. */
  name: string;
  numbers: { called: Arrives; caller: Arrives };
  identity: Identity;
  limits: { in_max: number | null; out_max: number | null };
  health: { every_s: number | null; down_after: number; up_after: number };
  codecs: string[];
  hours: string | null;
}

export type Written = 'as_is' | 'country_first' | 'as_dialled' | 'area_first';

export interface Arrives {
  written: Written;
  strip: number;
  before: string;
}

export interface Identity {
  trusted: boolean;
  show: 'own' | 'main';
  main: string | null;
  allowed: string[];
  style: 'from' | 'asserted' | 'preferred' | 'remote_party';
  may_withhold: boolean;
  forwarded: 'nothing' | 'diversion' | 'history_info';
  early: 'always' | 'authorised' | 'never';
}

export type TrunkKind =
  | { by: 'address'; peer: string; transport: SipTransport }
  | { by: 'registration'; peer: string; transport: SipTransport; user: string; domain: string; expires_s: number };

/** Of one type for the whole run. */
export type Value = boolean | number | string;

export interface Flow {
  label: string;
  /** What the caller is spoken to in from here on, `de`. */
  language?: string;
  start: string;
  variables?: Record<string, Value>;
  /** Variables that agents are shown, and what each is called there. */
  shown?: Record<string, string>;
  steps: Record<string, Step>;
}

export type Part = { prompt: string } | { digits: string } | { speech: { language: string; text: string } };
export type Source = 'caller' | 'called' | { variable: string };

export type Test =
  | { is: 'withheld' }
  | { is: 'inside' }
  | { is: 'caller_begins'; with: string[] }
  | { is: 'open'; hours: string }
  | { is: 'takes'; queue: string }
  | { is: 'waiting'; queue: string; more_than: number }
  | { is: 'wait_longer'; queue: string; than_s: number }
  | { is: 'served'; queue: string }
  | { is: 'equal'; variable: string; to: Value }
  | { is: 'at_least'; variable: string; number: number };

export type Step =
  | { do: 'play'; prompt: string; next: string }
  | { do: 'menu'; prompt: string; choices: Record<string, string>; wait_s: number; tries: number; otherwise: string }
  | { do: 'open'; hours: string; then: string; otherwise: string }
  | { do: 'say'; parts: Part[]; next: string }
  | { do: 'digits'; prompt: string; into: string; min: number; max: number; wait_s: number; tries: number; next: string; otherwise: string }
  | { do: 'if'; all: Test[]; then: string; otherwise: string }
  | { do: 'set'; variable: string; to: Value; next: string }
  | { do: 'look_up'; url: string; send?: Record<string, Source>; take?: Record<string, string>; wait_ms: number; next: string; otherwise: string }
  | { do: 'survey'; prompt: string; best: number; wait_s: number; next: string }
  | { do: 'consent'; prompt: string; agree: string; refuse: string; wait_s: number; tries: number; next: string; otherwise: string }
  | { do: 'sub_flow'; flow: string; next: string }
  | { do: 'return' }
  | { do: 'transfer'; phone: string; ring_s: number; otherwise: string }
  | { do: 'queue'; queue: string; asks: Asks; after?: string; otherwise?: string }
  | { do: 'callback'; queue: string; asks: Asks; number?: string; next: string; otherwise: string }
  | { do: 'voicemail'; queue: string; max_s: number; next: string; otherwise: string }
  | { do: 'hangup' };

export interface Hours {
  label: string;
  week: Span[];
  /** Days, `2026-12-25`. */
  closed: string[];
}

/** Day 0 is Monday; minutes of the day, from < to ≤ 1440. */
export interface Span {
  day: number;
  from_min: number;
  to_min: number;
}

/** An outage drill that is ordered: when the link is cut, ms since 1970, and for how long. */
export interface Drill {
  at: number;
  minutes: number;
}

export type DrillWhy =
  | 'deadline' | 'person' | 'emergency' | 'callers' | 'disk'
  | 'not_run_emergency' | 'not_run_notice' | 'not_run_disk' | 'not_run_overflow' | 'not_run_another' | 'not_run_late';
export type DrillOutcome = 'passed' | 'not_passed' | 'not_known';
export type DrillFunction =
  | 'incoming' | 'waiting' | 'outgoing' | 'recording' | 'records' | 'phones' | 'lines' | 'help' | 'disk' | 'certificate' | 'trunk_names'
  | 'overflow' | 'centre' | 'delivery';
export type DrillVerdict = 'kept' | 'less' | 'broken' | 'unasked' | 'withheld' | 'unread';

export interface DrillCalls {
  offered: number;
  answered: number;
  abandoned: number;
  recorded: number;
  /** Of answered ones. */
  wait_s: number;
}

export interface DrillReport {
  drill: Drill;
  began: number;
  ended: number;
  /** By a clock that nobody sets. */
  lasted_ms: number;
  why: DrillWhy;
  /** When the link was back, and when the cloud had all that had waited; null: not within the hour. */
  joined: number | null;
  delivered: number | null;
  rows: number;
  /** Null at the centre: what calls there were stays at the branch. */
  during: DrillCalls | null;
  before: DrillCalls | null;
  alone: Alone[];
  marks: { function: DrillFunction; verdict: DrillVerdict }[];
  told: Figures;
}

export type Change =
  | { set: 'site_label'; label: string }
  | { set: 'site_time_zone'; time_zone: string }
  | { set: 'site_emergency'; numbers: string[] }
  | { set: 'site_outward'; trunk: string | null }
  | { set: 'site_dialling'; dialling: Dialling }
  | { set: 'site_closed'; closed: boolean }
  | { set: 'site_drill'; drill: Drill | null }
  | { set: 'site_recording'; recording: Directions }
  | { set: 'pause_put'; pause: string; label: string }
  | { set: 'pause_remove'; pause: string }
  | { set: 'disposition_put'; disposition: string; label: string }
  | { set: 'disposition_remove'; disposition: string }
  | { set: 'place_put'; place: string; value: Place }
  | { set: 'place_remove'; place: string }
  | { set: 'queue_add'; queue: string; value: Queue }
  | { set: 'queue_remove'; queue: string }
  | { set: 'queue_label'; queue: string; label: string }
  | { set: 'queue_skill'; queue: string; skill: string; level: number | null }
  | { set: 'queue_music'; queue: string; prompt: string }
  | { set: 'queue_position_every'; queue: string; seconds: number }
  | { set: 'queue_ring'; queue: string; seconds: number }
  | { set: 'queue_wrap_up'; queue: string; seconds: number }
  | { set: 'queue_service_level'; queue: string; seconds: number }
  | { set: 'queue_hours'; queue: string; hours: string | null }
  | { set: 'queue_recorded'; queue: string; recorded: boolean }
  | { set: 'queue_recording'; queue: string; recording: Recording }
  | { set: 'queue_closed'; queue: string; closed: boolean }
  | { set: 'queue_locality'; queue: string; locality: Locality }
  | { set: 'queue_overflow_after'; queue: string; seconds: number }
  | { set: 'queue_overflow_to'; queue: string; to: string[] }
  | { set: 'queue_routing'; queue: string; routing: Routing }
  | { set: 'queue_callback'; queue: string; callback: Callback }
  | { set: 'queue_dispositions'; queue: string; dispositions: Dispositions }
  | { set: 'queue_alerts'; queue: string; alerts: Alerts }
  | { set: 'agent_add'; agent: string; value: Agent }
  | { set: 'agent_remove'; agent: string }
  | { set: 'agent_badge'; agent: string; badge: string }
  | { set: 'agent_phone'; agent: string; phone: string | null }
  | { set: 'agent_skill'; agent: string; skill: string; level: number | null }
  | { set: 'agent_queue'; agent: string; queue: string; member: boolean }
  | { set: 'phone_add'; phone: string; value: Phone }
  | { set: 'phone_remove'; phone: string }
  | { set: 'phone_number'; phone: string; number: string | null }
  | { set: 'phone_place'; phone: string; place: string | null }
  | { set: 'phone_protection'; phone: string; protection: Protection }
  | { set: 'phone_forward'; phone: string; forward: Forward }
  | { set: 'trunk_put'; trunk: string; value: Trunk }
  | { set: 'trunk_remove'; trunk: string }
  | { set: 'number_put'; number: string; flow: string }
  | { set: 'number_remove'; number: string }
  | { set: 'flow_put'; flow: string; value: Flow }
  | { set: 'flow_roll_back'; flow: string; replaced: number }
  | { set: 'flow_remove'; flow: string }
  | { set: 'hours_add'; hours: string; value: Hours }
  | { set: 'hours_remove'; hours: string }
  | { set: 'hours_week'; hours: string; week: Span[] }
  | { set: 'hours_closed'; hours: string; day: string; closed: boolean };

export type What =
  | 'emergency_called'
  | 'emergency_answered'
  | 'emergency_failed'
  | 'outward_cap'
  | 'outward_pattern'
  | 'test_began'
  | 'test_passed'
  | 'test_line'
  | 'test_location'
  | 'test_unseen'
  | 'trunk_expired'
  | 'trunk_name'
  | 'trunk_key'
  | 'trunk_untrusted'
  | 'device_worse'
  | 'device_firmware';

export type Severity = 'repaired' | 'warning' | 'fatal';

/** What ends while a box is cut off, and in how many days. */
export interface Alone {
  until: 'disk' | 'certificate' | 'trunk_names';
  days: number;
}

export interface Finding {
  severity: Severity;
  /** `queues/sales/hours` */
  path: string;
  problem: Problem;
}

/** What is wrong with a flow, and by which steps one comes to it. */
export type FlowProblem = { is: 'flow'; road: string[] } & (
  | { fault: 'dangling'; to: string }
  | { fault: 'circle'; steps: string[] }
  | { fault: 'no_way_out' }
  | { fault: 'unreachable' }
  | { fault: 'empty' }
  | { fault: 'key'; key: string }
  | { fault: 'no_variable'; variable: string }
  | { fault: 'other_type'; variable: string }
  | { fault: 'out_of_bounds'; field: string; min: number; max: number }
  | { fault: 'url' }
  | { fault: 'braces'; text: string }
  | { fault: 'too_deep'; flows: string[] }
  | { fault: 'missing'; what: string }
);

export type Problem =
  | { is: 'dangling'; to: string }
  | { is: 'phone_shared'; kept_by: string }
  | { is: 'wrong_type' }
  | { is: 'out_of_bounds'; min: number; max: number; used: number }
  | { is: 'too_long'; max: number }
  | { is: 'concurrent'; kept: string; dropped: string[] }
  | { is: 'not_yours' }
  | FlowProblem
  | { is: 'nobody_serves' }
  | { is: 'missing' }
  | { is: 'overflow_loop' }
  | { is: 'empty_group' }
  | { is: 'not_ours'; number: string }
  | { is: 'unknown_codec'; name: string }
  | { is: 'must_be_seen' };

export interface Figures {
  offered: number;
  answered: number;
  abandoned: number;
  answered_in_t: number;
  abandoned_in_t: number;
  overflowed: number;
  recorded: number;
  wait_s: number;
  talk_s: number;
  hold_s: number;
  wrap_up_s: number;
}

export type AgentState = 'signed_out' | 'not_ready' | 'ready' | 'offered' | 'talking' | 'wrap_up';
export type Outcome = 'answered' | 'abandoned' | 'in_flow' | 'refused';
export type Direction = 'inbound' | 'outbound' | 'internal';
export type EndCause =
  | 'caller'
  | 'agent'
  | 'flow'
  | 'no_route'
  | 'forbidden'
  | 'busy'
  | 'not_reachable'
  | 'not_reached'
  | 'struck_off'
  | 'restart'
  | 'overload'
  | 'fault';

/** What came of a contact. */
export type Disposition = { code: string } | 'none_chosen';

export interface Cdr {
  contact: string;
  direction: Direction;
  trunk: string | null;
  number: string | null;
  arrived: number;
  queue: string | null;
  queued: number | null;
  answered: number | null;
  ended: number;
  agent: string | null;
  answered_at: string | null;
  outcome: Outcome;
  cause: EndCause;
  wait_ms: number;
  talk_ms: number;
  hold_ms: number;
  wrap_up_ms: number | null;
  offers: number;
  recording: string | null;
  sound?: Sound;
  /** Was promised a call back. */
  called_back?: { promised: number; attempts: number };
  /** A trunk's own words about the end. */
  released?: { status: number | null; q850: number | null; sip: number | null };
  /** By the last word of an agent. */
  disposition?: Disposition;
  /** Who said so when the contact was over. */
  corrected?: { by: string; at: number };
  unkeyed?: 'no_certificate' | 'silent' | 'another_certificate' | 'refused';
  diverted?: { from: string | null; why: 'always' | 'busy' | 'no_answer' | 'unavailable' | 'deflection' | 'other'; hops: number };
}

/** MOS in hundredths, over all legs. */
export interface Sound {
  opinion_worst: number;
  opinion_mean: number;
  one_way: boolean;
}

/** As `sync/model` checks them. */
export const SLUG = /^[a-z0-9][a-z0-9-]{0,39}$/;
export const EXTENSION = /^[0-9]{2,8}$/;
export const NUMBER = /^\+?[0-9]{2,20}$/;
export const LABEL_LEN_MAX = 60;

/** What stands at a path of a document. */
export type Scalar = null | boolean | number | string;
export type Side = 'centre' | 'branch';

/** Where a change stands, and who made it when. */
export interface By {
  doc: Doc;
  seq: number;
  side: Side;
  author: string | null;
  /** By the clock of who wrote. */
  written: number;
  /** When it was stored here. */
  taken: number;
}

/** One field of a change. A value that is left out: nothing was said. */
export interface WrittenField {
  path: string;
  before?: Scalar;
  after?: Scalar;
  stands: boolean;
}

export interface Entry extends By {
  fields: WrittenField[];
  more: number;
}

export interface Blame extends By {
  path: string;
  value: Scalar;
}

export interface Difference {
  path: string;
  before?: Scalar;
  after?: Scalar;
}

export interface Undone {
  restored: string[];
  left: { path: string; by: By }[];
}

export type MergeRule = 'ask' | 'branch_wins' | 'centre_wins' | 'both_kept' | 'strictest' | 'written_stands' | 'removed';

export interface Said extends By {
  value?: Scalar;
}

export interface MergeOutcome {
  path: string;
  rule: MergeRule;
  said: Said[];
  kept?: Scalar;
  waits: boolean;
  decided: By | null;
}

export interface Meeting {
  from: number;
  until: number;
  centre: Entry[];
  branch: Entry[];
  more: number;
  outcomes: MergeOutcome[];
}

export interface MergeReport {
  waiting: MergeOutcome[];
  differs: MergeOutcome[];
  meetings: Meeting[];
}
