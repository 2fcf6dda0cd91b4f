// What the desk asks of the box's own chat; the shapes of edge/desk/src/api/chat.rs.
import { get, post } from '@shared/api';
import type { ChatMessage } from '../api';

export const CHAT_CHARS_MAX = 2_000;

export interface ChatRoom {
  room: string;
  last: ChatMessage;
  unread: number;
}

/** Those in which something was written, the latest first; and whose rooms one may enter. */
export const rooms = () => get<{ rooms: ChatRoom[]; queues: string[] }>('/api/chat');
export const messages = (room: string, before: number | null) => get<{ messages: ChatMessage[]; more: boolean }>(`/api/chat/${room}${before === null ? '' : `?before=${before}`}`);
export const say = (room: string, text: string) => post<void>(`/api/chat/${room}`, { text });
export const readUpTo = (room: string, n: number) => post<void>(`/api/chat/${room}/read`, { n });

/** The room of two. */
export const two = (one: string, other: string) => `two.${[one, other].sort().join('.')}`;

export type Place = { is: 'two'; other: string } | { is: 'queue'; queue: string } | { is: 'supervisors'; of: string };

export function placeOf(room: string, self: string): Place {
  const [kind, one = '', other = ''] = room.split('.');
  if (kind === 'queue') return { is: 'queue', queue: one };
  if (kind === 'supervisors') return { is: 'supervisors', of: one };
  return { is: 'two', other: one === self ? other : one };
}
