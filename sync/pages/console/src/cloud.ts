// Generated from cloudd's interface (/api/openapi.json) by its tests: UPDATE_CLIENT=1. Not written by hand.
import { get, post, put, remove } from '@shared/api';

export type Agent = { badge: string; phone: Extension | null; queues: (QueueId)[]; skills: Record<string, number> };

export type AgentId = string;

export type Alerts = { abandoned: number | null; longest_wait_s: number | null; quality: boolean; service_level: number | null; unserved: boolean; waiting: number | null };

export type Alone = { days: number; until: AloneUntil };

export type AloneUntil = 'disk' | 'certificate' | 'trunk_names';

export type Applied = (ConfigKept) & ({ applied: Planned });

export type Arrives = { before: string; strip: number; written: Written };

export type Asks = { skills: Record<string, number>; value: number };

export type AuditEntry = { at: Millis; detail: unknown; seq: number; what: string; who: string };

export type AuditPage = { broken_at: number | null; entries: (AuditEntry)[] };

export type Bin = (Sums) & (Counts) & ({ small: number; start: Millis });

export type Blame = (By) & ({ path: string; value: Scalar });

export type BoxId = string;

export type BoxLine = { behind: number | null; box: BoxId; certificate_until: Millis | null; egress: Witnessed | null; enrolled: Millis; health: Health | null; linked: boolean; linked_since: Millis | null; media: boolean | null; revoked: Millis | null; site: SiteId; skew_ms: number | null; software: string | null };

export type BundleLine = { added: Millis; name: string; offered_to: (SiteId)[]; sha256: string; size: number; version: string };

export type BundleOffer = { sha256: string };

export type By = { author: string | null; doc: Doc; seq: number; side: Side; taken: Millis; written: Millis };

export type Callback = { again_min: number; attempts: number; hours: HoursId | null; offer_after_s: number | null };

export type Carrier = { codecs: (string)[]; health: CarrierHealth; hours: HoursId | null; identity: Identity; limits: Limits; name: string; numbers: Numbers };

export type CarrierHealth = { down_after: number; every_s: number | null; up_after: number };

export type Cell = { figures: Figures; length_s: number; queue: QueueId | null; revision: number; site: SiteId; start: Millis };

export type Change = { label: string; set: 'site_label' } | { set: 'site_time_zone'; time_zone: string } | { numbers: (Number)[]; set: 'site_emergency' } | { set: 'site_outward'; trunk: TrunkId | null } | { dialling: Dialling; set: 'site_dialling' } | { closed: boolean; set: 'site_closed' } | { recording: Directions; set: 'site_recording' } | { drill: Drill | null; set: 'site_drill' } | { label: string; pause: PauseId; set: 'pause_put' } | { pause: PauseId; set: 'pause_remove' } | { disposition: DispositionId; label: string; set: 'disposition_put' } | { disposition: DispositionId; set: 'disposition_remove' } | { place: PlaceId; set: 'place_put'; value: Place } | { place: PlaceId; set: 'place_remove' } | { queue: QueueId; set: 'queue_add'; value: Queue } | { queue: QueueId; set: 'queue_remove' } | { label: string; queue: QueueId; set: 'queue_label' } | { level: number | null; queue: QueueId; set: 'queue_skill'; skill: SkillId } | { prompt: PromptId; queue: QueueId; set: 'queue_music' } | { queue: QueueId; seconds: number; set: 'queue_position_every' } | { queue: QueueId; seconds: number; set: 'queue_ring' } | { queue: QueueId; seconds: number; set: 'queue_wrap_up' } | { queue: QueueId; seconds: number; set: 'queue_service_level' } | { hours: HoursId | null; queue: QueueId; set: 'queue_hours' } | { queue: QueueId; recorded: boolean; set: 'queue_recorded' } | { queue: QueueId; recording: Recording; set: 'queue_recording' } | { closed: boolean; queue: QueueId; set: 'queue_closed' } | { locality: Locality; queue: QueueId; set: 'queue_locality' } | { queue: QueueId; seconds: number; set: 'queue_overflow_after' } | { queue: QueueId; set: 'queue_overflow_to'; to: (SiteId)[] } | { queue: QueueId; routing: Routing; set: 'queue_routing' } | { callback: Callback; queue: QueueId; set: 'queue_callback' } | { dispositions: Dispositions; queue: QueueId; set: 'queue_dispositions' } | { alerts: Alerts; queue: QueueId; set: 'queue_alerts' } | { agent: AgentId; set: 'agent_add'; value: Agent } | { agent: AgentId; set: 'agent_remove' } | { agent: AgentId; badge: string; set: 'agent_badge' } | { agent: AgentId; phone: Extension | null; set: 'agent_phone' } | { agent: AgentId; level: number | null; set: 'agent_skill'; skill: SkillId } | { agent: AgentId; member: boolean; queue: QueueId; set: 'agent_queue' } | { phone: Extension; set: 'phone_add'; value: Phone } | { phone: Extension; set: 'phone_remove' } | { number: Number | null; phone: Extension; set: 'phone_number' } | { phone: Extension; place: PlaceId | null; set: 'phone_place' } | { phone: Extension; protection: Protection; set: 'phone_protection' } | { forward: Forward; phone: Extension; set: 'phone_forward' } | { set: 'trunk_put'; trunk: TrunkId; value: Trunk } | { set: 'trunk_remove'; trunk: TrunkId } | { flow: FlowId; number: Number; set: 'number_put' } | { number: Number; set: 'number_remove' } | { flow: FlowId; set: 'flow_put'; value: Flow } | { flow: FlowId; replaced: Millis; set: 'flow_roll_back' } | { flow: FlowId; set: 'flow_remove' } | { hours: HoursId; set: 'hours_add'; value: Hours } | { hours: HoursId; set: 'hours_remove' } | { hours: HoursId; set: 'hours_week'; week: (Span)[] } | { closed: boolean; day: string; hours: HoursId; set: 'hours_closed' };

export type Config = { agents: Record<string, Agent>; flows: Record<string, Flow>; hours: Record<string, Hours>; numbers: Record<string, FlowId>; phones: Record<string, Phone>; places: Record<string, Place>; queues: Record<string, Queue>; site: Site; trunks: Record<string, Trunk> };

export type ConfigEdit = { changes: (Change)[]; doc: Doc };

export type ConfigKept = { findings: (Finding)[]; heads: string };

export type ConfigKnown = { config: Config; findings: (Finding)[]; heads: string; pending: boolean };

export type Consent = 'not_asked' | 'unless_refused' | 'when_given';

export type Correction = { cells: number; difference: Sums; first_received: Millis; intervals: number; kind: CorrectionKind; last_received: Millis; since: Millis; site: SiteId; until: Millis };

export type CorrectionKind = 'late' | 'revised';

export type Corrections = { corrections: (Correction)[]; more: boolean };

export type Counts = { arrived: number; expected: number; isolated: number; late: number };

export type DaemonHealth = { version: string; well: boolean };

export type Dialling = { abroad: (string)[]; abroad_cents: number; backup: (TrunkId)[]; confirm_days: number; country: string; groups: Record<string, TrunkGroup>; home_cents: number; international: string; national: string; outward: GroupId | null; phone_calls_max: number; phone_hour_cents_max: number; phone_hour_max: number; place: PlaceId | null; prefix: string; premium: (string)[]; site_hour_cents_max: number; site_hour_max: number; tariffs: Record<string, number>; test_hour: number; test_number: Number | null };

export type Difference = { after?: Scalar; before?: Scalar; path: string };

export type Directions = { inside: Recording | null; inward: Recording | null; outward: Recording | null };

export type DispositionId = string;

export type Dispositions = { only: (DispositionId)[]; required: boolean };

export type Doc = 'org' | 'site' | 'local';

export type Drill = { at: Millis; minutes: number };

export type DrillCalls = { abandoned: number; answered: number; offered: number; recorded: number; wait_s: number };

export type DrillFunction = 'incoming' | 'waiting' | 'outgoing' | 'recording' | 'records' | 'phones' | 'lines' | 'help' | 'disk' | 'certificate' | 'trunk_names' | 'overflow' | 'centre' | 'delivery';

export type DrillMark = { function: DrillFunction; verdict: DrillVerdict };

export type DrillOrder = { at: Millis | null; minutes: number };

export type DrillOutcome = 'passed' | 'not_passed' | 'not_known';

export type DrillReport = { alone: (Alone)[]; before: DrillCalls | null; began: Millis; delivered: Millis | null; drill: Drill; during: DrillCalls | null; ended: Millis; joined: Millis | null; lasted_ms: number; marks: (DrillMark)[]; rows: number; told: Figures; why: DrillWhy };

export type DrillVerdict = 'kept' | 'less' | 'broken' | 'unasked' | 'withheld' | 'unread';

export type DrillWhy = 'deadline' | 'person' | 'emergency' | 'callers' | 'disk' | 'not_run_emergency' | 'not_run_notice' | 'not_run_disk' | 'not_run_overflow' | 'not_run_another' | 'not_run_late';

export type Drills = { ordered: (OrderedDrill)[]; reports: (ReportedDrill)[] };

export type Early = 'always' | 'authorised' | 'never';

export type EnrolmentCode = { code: string; expires: Millis };

export type Extension = string;

export type Fare = 'few' | 'as_before' | 'worse';

export type Fault = { error: Reason; index?: number };

export type Field = { after?: Scalar; before?: Scalar; path: string; stands: boolean };

export type Figures = { abandoned: number; abandoned_in_t: number; answered: number; answered_in_t: number; hold_s: number; offered: number; overflowed: number; recorded: number; talk_s: number; wait_s: number; wrap_up_s: number };

export type FiguresAnswer = { completeness: Record<string, number | null>; figures: (Cell)[] };

export type Finding = { path: string; problem: Problem; severity: Severity };

export type FindingsOfSite = { fatal: number; repaired: number; warning: number };

export type Flow = { label: string; language?: LanguageId; shown?: Record<string, string>; start: StepId; steps: Record<string, Step>; variables?: Record<string, FlowValue> };

export type FlowEnd = { at: StepId; road: (StepId)[] };

export type FlowFault = { fault: 'dangling'; to: StepId } | { fault: 'circle'; steps: (StepId)[] } | { fault: 'no_way_out' } | { fault: 'unreachable' } | { fault: 'empty' } | { fault: 'key'; key: string } | { fault: 'no_variable'; variable: VariableId } | { fault: 'other_type'; variable: VariableId } | { fault: 'out_of_bounds'; field: string; max: number; min: number } | { fault: 'url' } | { fault: 'braces'; text: string } | { fault: 'too_deep'; flows: (FlowId)[] } | { fault: 'missing'; what: string };

export type FlowFound = { at: StepId | null; grave: boolean; problem: Problem };

export type FlowId = string;

export type FlowPart = { prompt: PromptId } | { digits: VariableId } | { speech: { language: LanguageId; text: string } };

export type FlowSource = 'caller' | 'called' | { variable: VariableId };

export type FlowTest = { is: 'withheld' } | { is: 'inside' } | { is: 'caller_begins'; with: (string)[] } | { hours: HoursId; is: 'open' } | { is: 'takes'; queue: QueueId } | { is: 'waiting'; more_than: number; queue: QueueId } | { is: 'wait_longer'; queue: QueueId; than_s: number } | { is: 'served'; queue: QueueId } | { is: 'equal'; to: FlowValue; variable: VariableId } | { is: 'at_least'; number: number; variable: VariableId };

export type FlowText = { text: string };

export type FlowValue = boolean | number | string;

export type FlowVersion = { flow: Flow; replaced: Millis };

export type Forward = { after_s: number; always: Number | null; busy: Number | null; no_answer: Number | null; unregistered: Number | null };

export type Forwarded = 'nothing' | 'diversion' | 'history_info';

export type GroupId = string;

export type Health = { alone: (Alone)[]; at: Millis; disk_free_percent: number; intervals_closed: number; phones_registered: number; processes_up: number; restarts: number; slot: number; trunks: number; trunks_up: number; version: (number)[] };

export type HistoryDiff = { differences: (Difference)[]; from: Millis; to: Millis };

export type HistoryEntry = (By) & ({ fields: (Field)[]; more: number });

export type HistoryLine = (HistoryEntry) & ({ change: unknown });

export type HistoryPage = { entries: (HistoryLine)[]; more: boolean };

export type Hours = { closed: (string)[]; label: string; week: (Span)[] };

export type HoursId = string;

export type Identity = { allowed: (Number)[]; early: Early; forwarded: Forwarded; main: Number | null; may_withhold: boolean; show: Show; style: Style; trusted: boolean };

export type LanguageId = string;

export type Left = { by: By; path: string };

export type Limits = { in_max: number | null; out_max: number | null };

export type Locality = 'local_only' | 'may_leave';

export type Looked = { differences: (Difference)[]; findings: (Finding)[]; fits: boolean; label: string; refused: (unknown)[] | null; site: SiteId };

export type LookedAt = { ends: (FlowEnd)[]; flow: Flow; found: (FlowFound)[]; text: string };

export type Me = { login: string; may: (Verb)[]; role: RoleName; sites: (SiteId)[] | null };

export type Meeting = { branch: (HistoryEntry)[]; centre: (HistoryEntry)[]; from: Millis; more: number; outcomes: (Outcome)[]; until: Millis };

export type Member = { order: number; trunk: TrunkId; weight: number };

export type MergeDecision = { take: { path: string; seq: number } } | { follow_plan: { path: string } };

export type MergeReport = { differs: (Outcome)[]; meetings: (Meeting)[]; waiting: (Outcome)[] };

export type MergeRule = 'ask' | 'branch_wins' | 'centre_wins' | 'both_kept' | 'strictest' | 'written_stands' | 'removed';

export type MergeSaid = (By) & ({ value?: Scalar });

export type Millis = number;

export type NamedChange = { doc: Doc; seq: number };

export type NewPassword = { new: string; old: string };

export type NewPerson = { login: string; role: RoleName; sites: (SiteId)[] | null };

export type NewRollout = { canaries: (SiteId)[]; changes: (Change)[]; label: string; overrule: boolean; patience_s: number; shares: (number)[]; sites: (SiteId)[]; soak_s: number; wants_calls: boolean };

export type NewTemplate = { changes: (Change)[]; label: string };

export type NewToken = { days: number | null; name: string; role: RoleName; sites: (SiteId)[] | null };

export type NoticeId = string;

export type NoticeLine = { alarm: boolean; at: Millis; notice: NoticeId; place: string | null; received: Millis; seen: Millis | null; seen_by: string | null; site: SiteId; site_label: string | null; trunk: string | null; what: NoticeWhat };

export type NoticeWhat = 'emergency_called' | 'emergency_answered' | 'emergency_failed' | 'outward_cap' | 'outward_pattern' | 'test_began' | 'test_passed' | 'test_line' | 'test_location' | 'test_unseen' | 'trunk_expired' | 'trunk_name' | 'trunk_key' | 'trunk_untrusted' | 'device_worse' | 'device_firmware';

export type Number = string;

export type Numbers = { called: Arrives; caller: Arrives };

export type OrderedDrill = { apart: boolean; drill: Drill; label: string; site: SiteId; until: Millis };

export type Outcome = { decided: By | null; kept?: Scalar; path: string; rule: MergeRule; said: (MergeSaid)[]; waits: boolean };

export type Overflow = { after_s: number; locality: Locality; to: (SiteId)[] };

export type PauseId = string;

export type PersonAdded = { login: string; password: string };

export type PersonChange = { disabled: boolean; role: RoleName; sites: (SiteId)[] | null };

export type PersonLine = { created: Millis; disabled: Millis | null; issuer: string | null; login: string; role: RoleName; signed_in: Millis | null; sites: (SiteId)[] | null };

export type Phone = { forward: Forward; label: string; number: Number | null; place: PlaceId | null; protection: Protection };

export type Place = { city: string; confirmed: string; country: string; floor: string; house: string; label: string; room: string; send_location: boolean; state: string; street: string; trunk: TrunkId | null };

export type PlaceId = string;

export type Planned = { base: string; differences: (Difference)[]; findings: (Finding)[]; stays: (string)[] };

export type Problem = { is: 'dangling'; to: string } | { is: 'phone_shared'; kept_by: AgentId } | { is: 'wrong_type' } | { is: 'out_of_bounds'; max: number; min: number; used: number } | { is: 'too_long'; max: number } | { dropped: (string)[]; is: 'concurrent'; kept: string } | { is: 'not_yours' } | (FlowFault) & ({ road: (StepId)[] }) & ({ is: 'flow' }) | { is: 'nobody_serves' } | { is: 'missing' } | { is: 'empty_group' } | { is: 'not_ours'; number: Number } | { is: 'unknown_codec'; name: string } | { is: 'must_be_seen' } | { is: 'overflow_loop' };

export type PromptId = string;

export type Protection = 'clear' | 'preferred' | 'required' | 'required_openly';

export type Queue = { alerts: Alerts; callback: Callback; closed: boolean; dispositions: Dispositions; hours: HoursId | null; label: string; music: PromptId; overflow: Overflow; position_every_s: number; recorded: boolean; recording: Recording; ring_s: number; routing: Routing; service_level_s: number; skills: Record<string, number>; wrap_up_s: number };

export type QueueId = string;

export type Reason = { code: string; fault: Whose; message: string };

export type Recording = { consent: Consent; pause_s: number };

export type ReportedDrill = { box: BoxId; equal: boolean; label: string; outcome: DrillOutcome; received: Millis; report: DrillReport; site: SiteId; whole: boolean };

export type Reserve = { agents: number; value: number };

export type RoleName = 'administrator' | 'site_administrator' | 'supervisor' | 'analyst' | 'compliance' | 'viewer';

export type RolloutAsk = { changes: (Change)[]; overrule: boolean; sites: (SiteId)[] };

export type RolloutBegun = { awaits_second: boolean; rollout: number };

export type RolloutLine = { by: string | null; changes: (Change)[]; created: Millis; label: string; overrule: boolean; patience_ms: number; rollout: number; site: SiteId | null; soak_ms: number; state: RolloutState; stopped_by: string | null; wants_calls: boolean; wave: number; waves: ((RolloutSite)[])[]; why?: RolloutWhy };

export type RolloutLooks = { destructive: boolean; sites: (Looked)[] };

export type RolloutSaid = { say: RolloutWord };

export type RolloutSite = { calls: Fare; is: RolloutStanding; label: string | null; left?: number; linked: boolean; lost: Millis | null; restarts: number | null; restless: number; since: Millis; site: SiteId };

export type RolloutStanding = 'waiting' | 'written' | 'runs' | 'passed' | 'alike' | 'taken_back' | 'stuck';

export type RolloutState = 'awaits_second' | 'running' | 'held' | 'reverting' | 'reverted' | 'done' | 'unreadable';

export type RolloutWhy = 'person' | 'calls_fell' | 'refused' | 'unfit' | 'restless' | 'silent';

export type RolloutWord = 'pause' | 'resume' | 'take_back' | 'go_on';

export type Routing = { ageing_s: number; last_agent_s: number; reserve: Reserve; strategy: Strategy; tiers: (Tier)[] };

export type Scalar = null | boolean | number | string;

export type Severity = 'repaired' | 'warning' | 'fatal';

export type Show = 'own' | 'main';

export type Side = 'centre' | 'branch';

export type SignIn = { login: string; password: string };

export type SingleSignOn = { label: string | null };

export type SipTransport = 'udp' | 'tcp' | 'tls';

export type Site = { closed: boolean; dialling: Dialling; dispositions: Record<string, string>; emergency: (Number)[]; id: SiteId; label: string; outward: TrunkId | null; pauses: Record<string, string>; recording: Directions; time_zone: string };

export type SiteId = string;

export type SiteLine = { completeness: number | null; data_age_s: number | null; drill: Drill | null; drill_apart: boolean; findings: FindingsOfSite; health: Health | null; label: string; last_heard_ms_ago: number | null; linked: boolean; site: SiteId; software: string | null; tags: (string)[] };

export type SkillId = string;

export type Span = { day: number; from_min: number; to_min: number };

export type Spelling = 'as_dialled' | 'plus' | 'digits' | 'national';

export type Step = { do: 'play'; next: StepId; prompt: PromptId } | { do: 'say'; next: StepId; parts: (FlowPart)[] } | { choices: Record<string, StepId>; do: 'menu'; otherwise: StepId; prompt: PromptId; tries: number; wait_s: number } | { do: 'digits'; into: VariableId; max: number; min: number; next: StepId; otherwise: StepId; prompt: PromptId; tries: number; wait_s: number } | { do: 'open'; hours: HoursId; otherwise: StepId; then: StepId } | { all: (FlowTest)[]; do: 'if'; otherwise: StepId; then: StepId } | { do: 'set'; next: StepId; to: FlowValue; variable: VariableId } | { do: 'look_up'; next: StepId; otherwise: StepId; send?: Record<string, FlowSource>; take?: Record<string, string>; url: string; wait_ms: number } | { best: number; do: 'survey'; next: StepId; prompt: PromptId; wait_s: number } | { agree: string; do: 'consent'; next: StepId; otherwise: StepId; prompt: PromptId; refuse: string; tries: number; wait_s: number } | { do: 'sub_flow'; flow: FlowId; next: StepId } | { do: 'return' } | { do: 'transfer'; otherwise: StepId; phone: Extension; ring_s: number } | { after?: StepId; asks: Asks; do: 'queue'; otherwise?: StepId; queue: QueueId } | { asks: Asks; do: 'callback'; next: StepId; number?: VariableId; otherwise: StepId; queue: QueueId } | { do: 'voicemail'; max_s: number; next: StepId; otherwise: StepId; queue: QueueId } | { do: 'hangup' };

export type StepId = string;

export type Strategy = 'longest_idle' | 'least_occupied' | 'most_skilled' | 'round_robin';

export type Style = 'from' | 'asserted' | 'preferred' | 'remote_party';

export type Sums = { abandoned: number; abandoned_in_t: number; answered: number; answered_in_t: number; hold_s: number; offered: number; overflowed: number; recorded: number; talk_s: number; wait_s: number; wrap_up_s: number };

export type Tags = { tags: (string)[] };

export type TakenBack = (ConfigKept) & ({ undone: Undone });

export type TemplateLine = { at: Millis; author: string; changes: (Change)[]; destructive: boolean; label: string; template: string };

export type Tier = { after_s: number | null; also: (QueueId)[]; levels_less: number; longer_than: number | null };

export type TokenLine = { created: Millis; created_by: string; expires: Millis | null; name: string; revoked: Millis | null; role: RoleName; sites: (SiteId)[] | null; used: Millis | null };

export type TokenMade = { name: string; token: string };

export type TrendOfQueue = { bins: (Bin)[]; queue: QueueId };

export type TrendOfSite = { bins: (Bin)[]; site: SiteId };

export type TrendSite = (Counts) & ({ known: boolean; known_until: Millis | null; lateness_ms_max: number; queues: (QueueId)[]; site: SiteId });

export type TrendStanding = (TrendSite) & ({ data_age_s: number | null; linked: boolean });

export type Trends = { bins: (Bin)[]; branches: (TrendOfSite)[]; length_s: number; now: Millis; queues: (TrendOfQueue)[]; sites: (TrendStanding)[] };

export type Trunk = { behind_nat: boolean; calls_max: number; carrier: Carrier; kind: TrunkKind; label: string; protection: Protection; spelling: Spelling };

export type TrunkGroup = { hours: HoursId | null; label: string; members: (Member)[] };

export type TrunkId = string;

export type TrunkKind = { by: 'address'; peer: string; transport: SipTransport } | { by: 'registration'; domain: string; expires_s: number; peer: string; transport: SipTransport; user: string };

export type Undone = { left: (Left)[]; restored: (string)[] };

export type VariableId = string;

export type Verb = 'see_sites' | 'see_configuration' | 'change_configuration' | 'see_figures' | 'enrol' | 'see_boxes' | 'revoke_box' | 'offer_bundle' | 'see_audit' | 'answer_notice' | 'see_people' | 'change_people' | 'group_sites' | 'roll_out' | 'drill';

export type WantedConfig = { config: Config };

export type WantedPlan = { base: string; config: Config };

export type Whose = 'you' | 'server';

export type Witnessed = { at: Millis; disputed: number; line: number };

export type Written = 'as_is' | 'country_first' | 'as_dialled' | 'area_first';

function asked(query: Record<string, string | number | undefined>): string {
  const said = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`;
}

/** Each route by its name. What is put into a path is encoded. */
export const cloud = {
  /** Sign in; the answer sets a cookie. */
  postSession: (body: SignIn) => post<void>(`/api/session`, body),
  /** Sign out. */
  deleteSession: () => remove(`/api/session`),
  /** Who is signed in, and what they may. */
  getMe: () => get<Me>(`/api/me`),
  /** Another password; all sessions end. */
  putMePassword: (body: NewPassword) => put(`/api/me/password`, body),
  /** Who may use the console. */
  getPeople: () => get<(PersonLine)[]>(`/api/people`),
  /** Somebody new; the password is shown once. */
  postPeople: (body: NewPerson) => post<PersonAdded>(`/api/people`, body),
  /** What somebody may. */
  putPeopleLogin: (login: string | number, body: PersonChange) => put(`/api/people/${encodeURIComponent(login)}`, body),
  /** A new password, shown once. */
  postPeopleLoginPassword: (login: string | number) => post<PersonAdded>(`/api/people/${encodeURIComponent(login)}/password`, {}),
  /** Tokens of programs. */
  getTokens: () => get<(TokenLine)[]>(`/api/tokens`),
  /** A new token, shown once. */
  postTokens: (body: NewToken) => post<TokenMade>(`/api/tokens`, body),
  /** Revoke a token. */
  postTokensTokenRevocation: (token: string | number) => post<void>(`/api/tokens/${encodeURIComponent(token)}/revocation`, {}),
  /** Whether there is a way in through an identity provider. */
  getSingleSignOn: () => get<SingleSignOn>(`/api/single-sign-on`),
  /** All sites at a glance. */
  getSites: () => get<(SiteLine)[]>(`/api/sites`),
  /** The words by which a site is found. */
  putSitesSiteTags: (site: string | number, body: Tags) => put(`/api/sites/${encodeURIComponent(site)}/tags`, body),
  /** What a site runs by. */
  getSitesSiteConfig: (site: string | number, query: { at?: string | number } = {}) => get<ConfigKnown>(`/api/sites/${encodeURIComponent(site)}/config${asked(query)}`),
  /** Typed edits, all or none. */
  postSitesSiteChanges: (site: string | number, body: ConfigEdit) => post<ConfigKept>(`/api/sites/${encodeURIComponent(site)}/changes`, body),
  /** What was written, the newest first. */
  getSitesSiteHistory: (site: string | number, query: { under?: string | number; skip?: string | number } = {}) => get<HistoryPage>(`/api/sites/${encodeURIComponent(site)}/history${asked(query)}`),
  /** Who said last what each field is. */
  getSitesSiteBlame: (site: string | number, query: { under?: string | number } = {}) => get<(Blame)[]>(`/api/sites/${encodeURIComponent(site)}/blame${asked(query)}`),
  /** What differs between two moments. */
  getSitesSiteDiff: (site: string | number, query: { from: string | number; to?: string | number }) => get<HistoryDiff>(`/api/sites/${encodeURIComponent(site)}/diff${asked(query)}`),
  /** Take a change back. */
  postSitesSiteUndo: (site: string | number, body: NamedChange) => post<TakenBack>(`/api/sites/${encodeURIComponent(site)}/undo`, body),
  /** What became of edits that were made apart. */
  getSitesSiteMerge: (site: string | number) => get<MergeReport>(`/api/sites/${encodeURIComponent(site)}/merge`),
  /** Decide of a field. */
  postSitesSiteMerge: (site: string | number, body: MergeDecision) => post<ConfigKept>(`/api/sites/${encodeURIComponent(site)}/merge`, body),
  /** What a wanted configuration would change. */
  postSitesSitePlan: (site: string | number, body: WantedConfig) => post<Planned>(`/api/sites/${encodeURIComponent(site)}/plan`, body),
  /** Make it so, unless something was changed since. */
  postSitesSiteApply: (site: string | number, body: WantedPlan) => post<Applied>(`/api/sites/${encodeURIComponent(site)}/apply`, body),
  /** Versions of a flow that were replaced. */
  getSitesSiteFlowsFlowVersions: (site: string | number, flow: string | number) => get<(FlowVersion)[]>(`/api/sites/${encodeURIComponent(site)}/flows/${encodeURIComponent(flow)}/versions`),
  /** A flow from its text. */
  postFlowsRead: (body: FlowText) => post<LookedAt>(`/api/flows/read`, body),
  /** The text of a flow. */
  postFlowsPrint: (body: Flow) => post<LookedAt>(`/api/flows/print`, body),
  /** A code with which one box joins a site. */
  postSitesSiteEnrolment: (site: string | number) => post<EnrolmentCode>(`/api/sites/${encodeURIComponent(site)}/enrolment`, {}),
  /** Offer a bundle to a site. */
  postSitesSiteBundle: (site: string | number, body: BundleOffer) => post<void>(`/api/sites/${encodeURIComponent(site)}/bundle`, body),
  /** Order an outage drill. */
  putSitesSiteDrill: (site: string | number, body: DrillOrder) => put(`/api/sites/${encodeURIComponent(site)}/drill`, body),
  /** Call it off. */
  deleteSitesSiteDrill: (site: string | number) => remove(`/api/sites/${encodeURIComponent(site)}/drill`),
  /** Outage drills: ordered, and what came of them. */
  getDrills: () => get<Drills>(`/api/drills`),
  /** The boxes of all sites. */
  getBoxes: () => get<(BoxLine)[]>(`/api/boxes`),
  /** Revoke a box. */
  postBoxesBoxRevocation: (box: string | number) => post<void>(`/api/boxes/${encodeURIComponent(box)}/revocation`, {}),
  /** Firmware bundles. */
  getBundles: () => get<(BundleLine)[]>(`/api/bundles`),
  /** Changes that are kept under a name. */
  getTemplates: () => get<(TemplateLine)[]>(`/api/templates`),
  /** Keep one. */
  putTemplatesTemplate: (template: string | number, body: NewTemplate) => put(`/api/templates/${encodeURIComponent(template)}`, body),
  /** Forget one. */
  deleteTemplatesTemplate: (template: string | number) => remove(`/api/templates/${encodeURIComponent(template)}`),
  /** Roll-outs, those that are not over first. */
  getRollouts: () => get<(RolloutLine)[]>(`/api/rollouts`),
  /** Begin one. */
  postRollouts: (body: NewRollout) => post<RolloutBegun>(`/api/rollouts`, body),
  /** What changes would do at each site. */
  postRolloutsLook: (body: RolloutAsk) => post<RolloutLooks>(`/api/rollouts/look`, body),
  /** What a person says of it. */
  postRolloutsRolloutSay: (rollout: string | number, body: RolloutSaid) => post<void>(`/api/rollouts/${encodeURIComponent(rollout)}/say`, body),
  /** The second of two people agrees. */
  postRolloutsRolloutAgreement: (rollout: string | number) => post<void>(`/api/rollouts/${encodeURIComponent(rollout)}/agreement`, {}),
  /** Figures of a window of time, and how complete they are. */
  getFigures: (query: { from: string | number; to: string | number; length_s: string | number }) => get<FiguresAnswer>(`/api/figures${asked(query)}`),
  /** Figures over time, summed over sites. */
  getTrends: (query: { from: string | number; to: string | number; length_s: string | number; offset_s?: string | number; sites?: string | number; queues?: string | number; apart?: string | number }) => get<Trends>(`/api/trends${asked(query)}`),
  /** What came late about intervals whose time was over. */
  getCorrections: (query: { since: string | number }) => get<Corrections>(`/api/corrections${asked(query)}`),
  /** What people must see soon, of the last week. */
  getNotices: () => get<(NoticeLine)[]>(`/api/notices`),
  /** Somebody has seen it. */
  postNoticesSiteNoticeSeen: (site: string | number, notice: string | number) => post<void>(`/api/notices/${encodeURIComponent(site)}/${encodeURIComponent(notice)}/seen`, {}),
  /** Who did what, the newest first. */
  getAudit: (query: { before?: string | number } = {}) => get<AuditPage>(`/api/audit${asked(query)}`),
  /** Is the daemon well? */
  getHealthz: () => get<DaemonHealth>(`/healthz`),
};
