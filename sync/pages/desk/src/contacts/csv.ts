// Contacts as a file for a spreadsheet (RFC 4180), with what a stranger may have put into a name made harmless.
import type { Contact } from '../api';

/** Rows of one file. */
export const ROWS_MAX = 5_000;

const COLUMNS = [
  'contact', 'direction', 'arrived', 'queue', 'agent', 'answered_at', 'outcome', 'cause', 'wait_s', 'talk_s', 'hold_s', 'wrap_up_s', 'offers', 'caller_number', 'caller_name',
] as const;

type Cell = string | number | null | undefined;

/** A spreadsheet runs what begins with one of these (OWASP, CSV injection); a telephone number may have its plus. */
function harmless(text: string): string {
  return /^[=+\-@\t\r]/.test(text) && !/^\+?[0-9*#]*$/.test(text) ? `'${text}` : text;
}

function cell(value: Cell): string {
  const text = typeof value === 'string' ? harmless(value) : String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const seconds = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : Math.round(ms / 100) / 10);

/** Times are UTC, as ISO 8601 writes them. The first line names the columns; Excel reads UTF-8 by the mark before it. */
export function csv(rows: readonly Contact[]): string {
  const lines = rows.map((row): readonly Cell[] => [
    row.contact, row.direction, new Date(row.arrived).toISOString(), row.queue, row.agent, row.answered_at, row.outcome, row.cause,
    row.queued === null ? null : seconds(row.wait_ms), row.answered === null ? null : seconds(row.talk_ms), seconds(row.hold_ms), seconds(row.wrap_up_ms), row.offers,
    row.caller?.number, row.caller?.name,
  ]);
  return `\uFEFF${[COLUMNS, ...lines].map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
}

export function save(text: string, name: string) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
