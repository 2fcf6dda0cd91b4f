// What is to be done for customers: found, opened, and worked on. It follows what happens on the box while it is looked at.
import '@mantine/core/styles/Table.css';
import '@mantine/core/styles/Skeleton.css';
import './tickets.css';
import { Alert, Box, Button, Card, Group, NativeSelect, Skeleton, Stack, Table, Text, TextInput, UnstyledButton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAlertCircle, IconAdjustments, IconPlus, IconTicket } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { Queries } from '@shared/ui/queries';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, lazy, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine, Me, QueueLine } from '../api';
import { NO_FILTER, PRIORITIES, STATES, tickets, type Filter, type TicketRow } from './api';
import { DueText, PriorityText, StateBadge, badgeOf, byDue } from './bits';
import { useTicketWords } from './words';

const TicketPage = lazy(() => import('./ticket'));
const NewTicket = lazy(() => import('./new'));
const TermsDialog = lazy(() => import('./terms'));

export interface Props {
  me: Me;
  queues: readonly QueueLine[];
  agents: readonly AgentLine[];
  /** Grows whenever something happens to a ticket. */
  news: number;
}

export default function TicketsPlace(props: Props) {
  return <Queries><Tickets {...props} /></Queries>;
}

function Tickets(props: Props) {
  const { me, queues, agents, news } = props;
  const w = useTicketWords();
  const known = useQueryClient();
  const [shown, setShown] = useState<string | null>(null);
  const [dialog, setDialog] = useState<'new' | 'terms' | null>(null);
  useEffect(() => {
    if (news > 0) void known.invalidateQueries({ queryKey: ['tickets'] });
  }, [known, news]);
  const supervisor = me.role === 'supervisor';
  if (shown !== null) return <Suspense fallback={<Skeleton height={300} />}><TicketPage key={shown} {...props} id={shown} close={() => setShown(null)} /></Suspense>;
  return (
    <Stack gap={0}>
      <Heading title={w.title} note={supervisor ? w.noteSupervisor : w.noteAgent}>
        <Group gap="xs" ml="auto">
          {supervisor && <Button variant="default" leftSection={<IconAdjustments size={18} />} onClick={() => setDialog('terms')}>{w.terms}</Button>}
          <Button leftSection={<IconPlus size={18} />} onClick={() => setDialog('new')}>{w.new}</Button>
        </Group>
      </Heading>
      <List me={me} queues={queues} agents={agents} open={setShown} />
      {dialog === 'new' && (
        <Suspense fallback={null}>
          <NewTicket self={me.agent} contact={null} queue={null} queues={queues} agents={agents} close={(made) => {
            setDialog(null);
            if (made !== null) setShown(made);
          }} />
        </Suspense>
      )}
      {dialog === 'terms' && <Suspense fallback={null}><TermsDialog close={() => setDialog(null)} /></Suspense>}
    </Stack>
  );
}

function List({ me, queues, agents, open }: Omit<Props, 'news'> & { open: (id: string) => void }) {
  const { t } = useTranslation();
  const w = useTicketWords();
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [wanted] = useDebouncedValue(filter, 250);
  const found = useInfiniteQuery({
    queryKey: ['tickets', me.agent, wanted],
    queryFn: ({ pageParam }) => tickets(wanted, pageParam),
    initialPageParam: null as number | null,
    placeholderData: (before) => before,
    getNextPageParam: (last) => (last.more ? (last.tickets.at(-1)?.changed ?? null) : null),
    refetchInterval: 60_000,
  });
  const first = found.data?.pages[0];
  const rows = (found.data?.pages.flatMap((page) => page.tickets) ?? []).toSorted(byDue);
  const categories = first?.categories ?? {};
  const pick = <K extends keyof Filter>(key: K, options: { value: string; label: string }[]) => (
    <NativeSelect
      key={key} aria-label={w[key as 'state']} value={filter[key] ?? ''} onChange={(event) => setFilter({ ...filter, [key]: event.currentTarget.value || null })}
      data={[{ value: '', label: w.any[key as 'state'] }, ...options]}
    />
  );
  return (
    <>
      <Group gap="xs" mb="md" align="flex-start" role="search" aria-label={w.search}>
        <TextInput aria-label={w.searchHint} placeholder={w.search} title={w.searchHint} value={filter.text} maxLength={100} onChange={(event) => setFilter({ ...filter, text: event.currentTarget.value })} style={{ flex: '1 1 220px' }} />
        {pick('state', STATES.map((value) => ({ value, label: w.states[value] })))}
        {pick('assignee', [{ value: me.agent, label: w.mine }, ...agents.filter((line) => line.agent !== me.agent).map((line) => ({ value: line.agent, label: line.badge }))])}
        {pick('queue', queues.map((line) => ({ value: line.queue, label: line.label })))}
        {pick('priority', PRIORITIES.map((value) => ({ value, label: w.priorities[value] })))}
        {Object.keys(categories).length > 0 && pick('category', Object.entries(categories).map(([value, label]) => ({ value, label })))}
      </Group>
      {found.isError && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} mb="md">
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      <Card padding={0}>
        {found.isPending ? (
          <Stack p="lg" gap="sm" role="status" aria-label={t('loading')}>{Array.from({ length: 6 }, (_, n) => <Skeleton key={n} height={22} />)}</Stack>
        ) : rows.length === 0 ? (
          <Empty icon={<IconTicket size={24} />} title={w.none}>{w.noneText}</Empty>
        ) : (
          <Rows rows={rows} me={me} queues={queues} agents={agents} now={first?.now ?? 0} open={open} />
        )}
      </Card>
      {found.hasNextPage && <Group justify="center" mt="md"><Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{w.older}</Button></Group>}
    </>
  );
}

function Rows({ rows, me, queues, agents, now, open }: { rows: TicketRow[]; me: Me; queues: readonly QueueLine[]; agents: readonly AgentLine[]; now: number; open: (id: string) => void }) {
  const { i18n } = useTranslation();
  const w = useTicketWords();
  const zone = me.site.time_zone;
  return (
    <Box style={{ overflowX: 'auto' }}>
      <Table highlightOnHover className="stack-table tickets">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={90}>{w.number}</Table.Th>
            <Table.Th>{w.subject}</Table.Th>
            <Table.Th>{w.state}</Table.Th>
            <Table.Th>{w.priority}</Table.Th>
            <Table.Th>{w.assignee}</Table.Th>
            <Table.Th>{w.due}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.ticket} onClick={() => open(row.ticket)} style={{ cursor: 'pointer' }}>
              <Table.Td className="figure-cell">#{row.number}</Table.Td>
              <Table.Td>
                <UnstyledButton className="ticket-open" onClick={(event) => {
                  event.stopPropagation();
                  open(row.ticket);
                }}>
                  <Text size="sm" fw={600} lineClamp={2} component="span" className="note-text">{row.subject ?? w.erased}</Text>
                </UnstyledButton>
                <Text size="xs" c="dimmed">{dayAndTime(row.changed, i18n.language, zone)}</Text>
              </Table.Td>
              <Table.Td><StateBadge state={row.state} /></Table.Td>
              <Table.Td><PriorityText priority={row.priority} /></Table.Td>
              <Table.Td>
                <Text size="sm">{row.assignee === null ? w.nobody : badgeOf(agents, row.assignee)}</Text>
                {row.queue !== null && <Text size="xs" c="dimmed">{queues.find((line) => line.queue === row.queue)?.label ?? row.queue}</Text>}
              </Table.Td>
              <Table.Td><DueText row={row} now={now} zone={zone} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}
