// Small pieces of tickets: how they stand, and by when something is due.
import { Badge, Group, Text } from '@mantine/core';
import { dayAndTime } from '@shared/format';
import { useTranslation } from 'react-i18next';
import type { AgentLine } from '../api';
import type { Clock, Priority, Promised, TicketRow, TicketState } from './api';
import { useTicketWords } from './words';

const STATE_COLOR: Record<TicketState, string> = { open: 'blue', waits_for_us: 'orange', waits_for_customer: 'gray', solved: 'green', closed: 'gray' };
const PRIORITY_COLOR: Record<Priority, string> = { low: 'gray', normal: 'gray', high: 'orange', urgent: 'red' };

export function StateBadge({ state }: { state: TicketState }) {
  const w = useTicketWords();
  return <Badge variant="light" color={STATE_COLOR[state]} tt="none">{w.states[state]}</Badge>;
}

export function PriorityText({ priority }: { priority: Priority }) {
  const w = useTicketWords();
  return <Text span size="sm" fw={priority === 'urgent' ? 600 : undefined} c={priority === 'low' || priority === 'normal' ? undefined : `var(--mantine-color-${PRIORITY_COLOR[priority]}-text)`}>{w.priorities[priority]}</Text>;
}

export function badgeOf(agents: readonly AgentLine[], agent: string) {
  return agents.find((line) => line.agent === agent)?.badge ?? agent;
}

/** What is due next; null: nothing is. */
export function nextDue(row: TicketRow): { promise: Promised; at: number; clock: Clock } | null {
  const first = row.first_answer_due;
  const resolution = row.resolution_due;
  if (first !== null && (resolution === null || first <= resolution)) return { promise: 'first_answer', at: first, clock: row.first_answer };
  return resolution === null ? null : { promise: 'resolution', at: resolution, clock: row.resolution };
}

/** Those first of which something is due first; the others as they changed. */
export function byDue(one: TicketRow, other: TicketRow) {
  const [a, b] = [nextDue(one)?.at ?? Infinity, nextDue(other)?.at ?? Infinity];
  return a === b ? other.changed - one.changed : a - b;
}

export function DueText({ row, now, zone }: { row: TicketRow; now: number; zone: string }) {
  const { i18n } = useTranslation();
  const w = useTicketWords();
  const due = nextDue(row);
  if (due === null) return <Text span size="sm" c="dimmed">{row.state === 'waits_for_customer' ? w.paused : '–'}</Text>;
  const late = due.clock.breached !== null || due.at < now;
  const color = late ? 'var(--mantine-color-error)' : due.clock.warned ? 'var(--mantine-color-orange-text)' : undefined;
  return (
    <Text span size="sm" c={color} fw={late ? 600 : undefined} className="due" data-late={late || undefined}>
      {w.promises[due.promise]}: {dayAndTime(due.at, i18n.language, zone)}{late && ` (${w.late})`}
    </Text>
  );
}

/** Both promises, and how they went. */
export function Promises({ row, now, zone }: { row: TicketRow; now: number; zone: string }) {
  const { i18n } = useTranslation();
  const w = useTicketWords();
  const line = (promise: Promised, clock: Clock, due: number | null) => {
    const at = due !== null ? dayAndTime(due, i18n.language, zone) : clock.done !== null ? `${dayAndTime(clock.done, i18n.language, zone)}${clock.breached === null ? ` (${w.kept})` : ''}` : w.paused;
    const late = clock.breached !== null || (due !== null && due < now);
    return (
      <Group key={promise} gap={6} wrap="nowrap">
        <Text size="sm" c="dimmed">{w.promises[promise]}</Text>
        <Text size="sm" c={late ? 'var(--mantine-color-error)' : clock.warned && clock.done === null ? 'var(--mantine-color-orange-text)' : undefined}>{at}{late && ` · ${w.breached}`}</Text>
      </Group>
    );
  };
  return <>{[line('first_answer', row.first_answer, row.first_answer_due), line('resolution', row.resolution, row.resolution_due)]}</>;
}
