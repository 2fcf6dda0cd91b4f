// What the desk asks of the box; the shapes of edge/desk/src/api.rs.
import { get, post, remove } from '@shared/api';
import type { Decision } from '@shared/history/merge';
import type { AgentState, Alone, Cdr, Change, Config, Consent, Drill, DrillOutcome, DrillReport, Finding, MergeReport, What } from '@shared/model';

export interface Me {
  agent: string;
  badge: string | null;
  role: 'agent' | 'supervisor';
  site: { id: string; label: string; time_zone: string };
}

export interface Board {
  queues: QueueLine[];
  /** No queue takes new contacts. */
  closed: boolean;
  /** Why an agent may be not ready, as people read it. */
  pauses: Record<string, string>;
  agents: AgentLine[];
  help: Help;
  /** Who is called back; for supervisors. */
  callbacks: CallbackLine[];
  /** For supervisors; the youngest first. */
  emergencies: EmergencyLine[];
  /** For supervisors; the youngest first. */
  notices: NoticeLine[];
  /** What is beyond its threshold, the longest first; of calls for supervisors. */
  alerts: AlertLine[];
}

export interface AlertLine {
  queue: string | null;
  label: string | null;
  alert: 'longest_wait' | 'waiting' | 'service_level' | 'abandoned' | 'unserved' | 'quality';
  /** Seconds, contacts, tenths of a percent, or R. */
  value: number;
  /** Whose call sounds badly. */
  agent: string | null;
  contact: string | null;
  since_ms: number;
}

/** Whether a call for help can go out. */
export type Help = 'ready' | 'lines_down' | 'no_line' | 'no_number';

export interface NoticeLine {
  notice: string;
  what: What;
  place: string | null;
  /** The label of the trunk that it is about. */
  trunk: string | null;
  at: number;
  ago_ms: number;
  /** Who said that they have seen it. */
  seen: string[];
}

export interface CallbackLine {
  contact: string;
  queue: string;
  /** As one dials it here. */
  number: string;
  name: string | null;
  ago_ms: number;
  attempts: number;
  /** Not before so long. */
  later_ms: number | null;
  /** Who calls the customer. */
  agent: string | null;
}

export interface EmergencyLine {
  /** Null: a device that proved nothing. */
  phone: string | null;
  label: string;
  place: string | null;
  floor: string;
  room: string;
  /** Unix time in ms, by the box's clock. */
  at: number;
  ago_ms: number;
  notice: string;
  seen: string[];
}

export interface QueueLine {
  queue: string;
  label: string;
  /** Does it take new contacts? */
  intake: 'open' | 'out_of_hours' | 'closed';
  /** By its own switch. */
  closed: boolean;
  waiting: number;
  /** Have hung up, keep their place, and are called back. */
  callbacks: number;
  /** That callers have left, and nobody has dealt with. */
  messages: number;
  longest_wait_ms: number;
  /** Of who came now, with its standard deviation; null while too little is known. */
  expected_wait_ms: number | null;
  expected_wait_error_ms: number | null;
  ready: number;
  talking: number;
  offered_today: number;
  answered_today: number;
  abandoned_today: number;
  service_level_permille: number | null;
}

export interface AgentLine {
  agent: string;
  badge: string;
  state: AgentState;
  /** Why, when not ready. */
  pause: Pause | null;
  since_ms: number;
  phone: string | null;
  phone_registered: boolean;
  contact: ContactCard | null;
  /** Supervisors on the agent's talk; for supervisors. */
  monitors: MonitorLine[];
}

/** A reason of the site's, or what happened to the agent. */
export type Pause = { code: string } | 'missed' | 'phone_away';

export type Monitoring = 'listen' | 'whisper' | 'barge';

export interface MonitorLine {
  by: string;
  how: Monitoring;
  /** False: the supervisor's phone rings. */
  there: boolean;
}

export interface ThirdLine {
  agent: string | null;
  stage: 'rung' | 'apart' | 'joined';
}

export interface ContactCard {
  contact: string;
  queue: string | null;
  caller_number: string;
  caller_name: string | null;
  waited_ms: number;
  held: boolean;
  card_mode: boolean;
  /** Where a rule records the talk. */
  recording: RecordingLine | null;
  /** The customer was promised a call back, and is called. */
  callback: boolean;
  third: ThirdLine | null;
  /** The agent's page has vanished in mid-call, and the caller waits for it. */
  away: boolean;
  wrap_up_left_ms: number | null;
  from_site: string | null;
  /** What came of it, by this agent's word. */
  disposition: string | null;
  /** The wrap-up ends by hand only when there is one. */
  disposition_required: boolean;
}

export interface RecordingLine {
  /** Why it is not recorded at this moment; null: it is. */
  missing: string | null;
  /** By the agent. */
  paused: boolean;
  may_pause: boolean;
  consent: Consent;
  /** The customer's last word; null: none. */
  said: boolean | null;
}

export type Ask =
  | { ask: 'not_ready'; pause?: string }
  | { ask: 'sign_in' | 'sign_out' | 'ready' | 'wrap_up_done' | 'wrap_up_more' | 'hang_up' | 'hold' | 'resume' | 'card_mode' | 'card_mode_end' | 'pause_recording' | 'resume_recording' | 'confer' | 'consult_end' | 'monitor_end' }
  | { ask: 'consent'; given: boolean }
  | { ask: 'dispose'; contact: string; disposition: string }
  | { ask: 'dial' | 'transfer' | 'consult'; number: string }
  | { ask: 'monitor'; agent: string; how: Monitoring }
  | { ask: 'strike_off'; contact: string }
  | { ask: 'seen'; notice: string };

export type RefusedCode =
  | 'unknown_agent'
  | 'signed_out'
  | 'phone_not_registered'
  | 'wrong_state'
  | 'no_call'
  | 'forbidden'
  | 'pause_needed'
  | 'disposition_needed'
  | 'unknown_disposition'
  | 'bad_number'
  | 'bad_request'
  | 'too_many'
  | 'unavailable';

export type Say =
  | 'config'
  | { me: Me }
  | { board: Board }
  | { ack: { id: number } }
  | { ticket: TicketNews }
  | { chat: ChatMessage }
  | 'chat_missed'
  | { refused: { id: number | null; code: RefusedCode } };

/** What somebody said in a room: `two.li.wang`, `queue.sales`, `supervisors.li`. */
export interface ChatMessage {
  /** Of all messages of the box, in order. */
  n: number;
  room: string;
  by: string;
  at: number;
  text: string;
}

/** Something happened to a ticket. */
export interface TicketNews {
  /** Null: more happened than could be told. */
  ticket: string | null;
  number: number;
  /** It is for the reader to look up. */
  alarm: { is: 'assigned' } | { is: 'warned' | 'breached'; promise: 'first_answer' | 'resolution' } | null;
}

export interface Contact extends Cdr {
  caller: { number: string; name: string | null } | null;
  notes: NoteLine[];
}

/** What an agent wrote of a contact. */
export interface NoteLine {
  agent: string;
  at: number;
  text: string;
}

export interface Earlier extends Cdr {
  notes: NoteLine[];
}

export interface Known {
  /** What the caller keyed in, or another system said. */
  shown: [string, string][];
  /** The reader's own. */
  note: { version: number; text: string };
  notes: NoteLine[];
  earlier: Earlier[];
  more: boolean;
  /** What the codes of `earlier` mean. */
  labels: Record<string, string>;
}

export interface Card {
  contact: string;
  dispositions: Record<string, string>;
  /** Null: the box's memory cannot be read. */
  known: Known | null;
}

export const card = (contact: string) => get<Card>(`/api/contacts/${contact}/card`);
export const writeNote = (contact: string, text: string, base: number, last: boolean) => post<{ version: number }>(`/api/contacts/${contact}/note`, { text, base }, last);

export interface Settings {
  config: Config;
  findings: Finding[];
  /** How long the box can run cut off. */
  alone: Alone[];
}

/** A SIP account for this page, good for this session. */
export interface Account {
  extension: string;
  name: string;
  password: string;
  domain: string;
}

export const help = () => get<{ help: Help }>('/api/help');
export const me = () => get<Me>('/api/me');
export const signIn = (agent: string, password: string) => post<Me>('/api/session', { agent, password });
export const signOut = () => remove('/api/session');
/** Of the branch: the drill that is ordered, and what came of those that ran. */
export const drills = () => get<{ ordered: Drill | null; reports: (DrillReport & { outcome: DrillOutcome })[] }>('/api/drills');
export const settings = () => get<Settings>('/api/config');
export const merge = () => get<MergeReport>('/api/merge');
export const decide = (decision: Decision) => post<Settings>('/api/merge', decision);
export const change = (changes: Change[]) => post<Settings>('/api/changes', { changes });
export const phone = () => post<Account>('/api/phone', {});
export const returnPhone = () => remove('/api/phone');
export const wavOf = (recording: string) => `/api/recordings/${recording}.wav`;

/** How loud a recording is where: the loudest sample, 0 to 255, of each of equal stretches, for either side. */
export interface Waveform {
  ms: number;
  caller: number[];
  agent: number[];
}

export const waveformOf = (recording: string) => get<Waveform>(`/api/recordings/${recording}.peaks`);

/** What a caller left for a queue's agents. */
export interface Message {
  contact: string;
  queue: string;
  /** Milliseconds since 1970. */
  at: number;
  recording: string;
  /** Null: not known. */
  ms: number | null;
  done_by: string | null;
  done_at: number | null;
  caller: { number: string; name: string | null } | null;
}

/** Open ones first, the oldest of them first. */
export const messages = () => get<{ messages: Message[] }>('/api/messages');
export const messageDone = (recording: string) => post<{ messages: Message[] }>(`/api/messages/${recording}/done`, {});
