// Contacts as a file for a spreadsheet.
import { type Cell, table } from '@shared/csv';
import type { Contact } from '../api';

/** Rows of one file. */
export const ROWS_MAX = 5_000;

const COLUMNS = [
  'contact', 'direction', 'arrived', 'queue', 'agent', 'answered_at', 'outcome', 'cause', 'wait_s', 'talk_s', 'hold_s', 'wrap_up_s', 'offers', 'caller_number', 'caller_name', 'disposition', 'notes', 'corrected_by', 'corrected_at',
] as const;

const disposition = (of: Contact['disposition']) => (typeof of === 'object' ? of.code : of);

const seconds = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : Math.round(ms / 100) / 10);

/** Times are UTC, as ISO 8601 writes them. */
export function csv(rows: readonly Contact[]): string {
  const lines = rows.map((row): readonly Cell[] => [
    row.contact, row.direction, new Date(row.arrived).toISOString(), row.queue, row.agent, row.answered_at, row.outcome, row.cause,
    row.queued === null ? null : seconds(row.wait_ms), row.answered === null ? null : seconds(row.talk_ms), seconds(row.hold_ms), seconds(row.wrap_up_ms), row.offers,
    row.caller?.number, row.caller?.name, disposition(row.disposition), row.notes.map((note) => `${note.agent}: ${note.text}`).join('\n'),
    row.corrected?.by, row.corrected === undefined ? null : new Date(row.corrected.at).toISOString(),
  ]);
  return table([COLUMNS, ...lines]);
}
