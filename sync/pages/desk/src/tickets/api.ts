// What the desk asks of the box about tickets; the shapes of edge/desk/src/api/ticket.rs.
import { get, post } from '@shared/api';
import type { Direction } from '@shared/model';

export type TicketState = 'open' | 'waits_for_us' | 'waits_for_customer' | 'solved' | 'closed';
export type Priority = 'low' | 'normal' | 'high' | 'urgent';
export type Promised = 'first_answer' | 'resolution';
export type Said = 'inside' | 'to_customer';

export const STATES: readonly TicketState[] = ['open', 'waits_for_us', 'waits_for_customer', 'solved', 'closed'];
export const PRIORITIES: readonly Priority[] = ['low', 'normal', 'high', 'urgent'];
export const SUBJECT_CHARS_MAX = 200;
export const COMMENT_CHARS_MAX = 4_000;

/** The time of one promise. */
export interface Clock {
  budget_ms: number;
  spent_ms: number;
  since: number | null;
  warned: boolean;
  breached: number | null;
  done: number | null;
}

export interface TicketRow {
  ticket: string;
  number: number;
  version: number;
  state: TicketState;
  priority: Priority;
  category: string | null;
  queue: string | null;
  assignee: string | null;
  contacts: string[];
  opened: number;
  opened_by: string;
  changed: number;
  first_answer: Clock;
  resolution: Clock;
  solved: number | null;
  /** Null: erased. */
  subject: string | null;
  /** Null: it is done, is paused, or nobody ever comes. */
  first_answer_due: number | null;
  resolution_due: number | null;
}

export interface Tickets {
  tickets: TicketRow[];
  categories: Record<string, string>;
  /** The box's clock. */
  now: number;
  more: boolean;
}

export type Ticketed =
  | { is: 'opened'; queue: string | null; priority: Priority; category: string | null; contact: string | null }
  | { is: 'moved'; from: TicketState; to: TicketState }
  | { is: 'assigned'; agent: string | null; queue: string | null }
  | { is: 'rated'; priority: Priority }
  | { is: 'sorted'; category: string | null }
  | { is: 'linked'; contact: string }
  | { is: 'commented'; said: Said }
  | { is: 'renamed' }
  | { is: 'kept' | 'warned' | 'breached'; promise: Promised };

export interface TicketShown extends TicketRow {
  entries: { at: number; by: string | null; what: Ticketed; text: string | null }[];
  links: { contact: string; arrived: number | null; direction: Direction | null; agent: string | null; recording: string | null; caller: { number: string; name: string | null } | null }[];
  categories: Record<string, string>;
  moves: TicketState[];
  now: number;
}

export type Act =
  | { do: 'move'; to: TicketState }
  | { do: 'assign'; agent: string | null; queue: string | null }
  | { do: 'rate'; priority: Priority }
  | { do: 'sort'; category: string | null }
  | { do: 'link'; contact: string }
  | { do: 'comment'; said: Said; text: string }
  | { do: 'rename'; subject: string };

export interface Filter {
  state: TicketState | null;
  queue: string | null;
  assignee: string | null;
  priority: Priority | null;
  category: string | null;
  text: string;
}

export const NO_FILTER: Filter = { state: null, queue: null, assignee: null, priority: null, category: null, text: '' };

export function tickets(filter: Filter, before: number | null) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, before })) if (value !== null && value !== '') asked.set(name, String(value));
  return get<Tickets>(`/api/tickets?${asked.toString()}`);
}

export const ticketsOf = (contact: string) => get<Tickets>(`/api/contacts/${contact}/tickets`);
export const ticket = (id: string) => get<TicketShown>(`/api/tickets/${id}`);
export const act = (id: string, base: number, acts: Act[]) => post<TicketShown>(`/api/tickets/${id}`, { base, acts });

export interface Opening {
  subject: string;
  text: string;
  queue: string | null;
  assignee: string | null;
  priority: Priority;
  category: string | null;
  contact: string | null;
}

export const openTicket = (opening: Opening) => post<{ ticket: string }>('/api/tickets', opening);

export interface Terms {
  hours: string | null;
  categories: Record<string, string>;
  promises: Record<Priority, { first_answer_min: number; resolution_min: number }>;
  warn_percent: number;
}

export const terms = () => get<Terms>('/api/ticket-terms');
export const setTerms = (wanted: Terms) => post<void>('/api/ticket-terms', wanted);
