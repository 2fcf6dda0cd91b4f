// Past contacts, newest first, with the player of their recordings.
import '@mantine/core/styles/Table.css';
import '@mantine/core/styles/Skeleton.css';
import { ActionIcon, Alert, Badge, Box, Button, Card, Group, NativeSelect, Skeleton, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconAlertCircle, IconFileSpreadsheet, IconHistory, IconPencil, IconPhoneIncoming, IconPhoneOutgoing, IconPlayerPlayFilled, IconUsers } from '@tabler/icons-react';
import { save } from '@shared/csv';
import { clock, day, dayAndTime, phone, timeOfDay } from '@shared/format';
import type { Direction, Outcome } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { Queries } from '@shared/ui/queries';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Fragment, Suspense, lazy, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ROWS_MAX, csv } from './csv';
import { dispositionText } from './disposition';
import { Player } from './player';
import { Notes } from '../card/history';
import { useWords } from '../card/words';
import '../card/card.css';
import type { AgentLine, Contact, Me, QueueLine } from '../api';
import { NONE_CHOSEN, contacts } from './api';
import { useContactWords } from './words';

const CorrectDialog = lazy(() => import('./correct'));

const OUTCOME_COLOR: Record<Outcome, string> = { answered: 'green', abandoned: 'orange', in_flow: 'gray', refused: 'gray' };
const DIRECTION_ICON: Record<Direction, typeof IconUsers> = { inbound: IconPhoneIncoming, outbound: IconPhoneOutgoing, internal: IconUsers };

interface Props {
  me: Me;
  queues: readonly QueueLine[];
  agents: readonly AgentLine[];
}

export default function ContactsPlace(props: Props) {
  return <Queries><Contacts {...props} /></Queries>;
}

function Contacts({ me, queues, agents }: Props) {
  const { t, i18n } = useTranslation();
  const w = useWords();
  const [playing, setPlaying] = useState<Contact | null>(null);
  const c = useContactWords();
  const known = useQueryClient();
  const [wanted, setWanted] = useState<string | null>(null);
  const [correcting, setCorrecting] = useState<Contact | null>(null);
  const found = useInfiniteQuery({
    queryKey: ['contacts', me.agent, wanted],
    queryFn: ({ pageParam }) => contacts(pageParam, wanted),
    initialPageParam: null as number | null,
    placeholderData: (before) => before,
    getNextPageParam: (last) => (last.more ? (last.contacts.at(-1)?.ended ?? null) : null),
    refetchInterval: 20_000,
  });
  const rows = found.data?.pages.flatMap((page) => page.contacts) ?? [];
  const labels = found.data?.pages[0]?.dispositions ?? {};
  const [saving, setSaving] = useState(false);
  async function saveAll() {
    setSaving(true);
    try {
      const all: Contact[] = [];
      for (let before: number | null = null, more = true; more && all.length < ROWS_MAX; before = all.at(-1)?.ended ?? null) {
        const page = await contacts(before, wanted);
        all.push(...page.contacts);
        more = page.more && page.contacts.length > 0;
      }
      save(csv(all.slice(0, ROWS_MAX)), `contacts-${new Date().toISOString().slice(0, 10)}.csv`);
    } finally {
      setSaving(false);
    }
  }
  const supervisor = me.role === 'supervisor';
  const zone = me.site.time_zone;
  const columns = supervisor ? 8 : 7;
  const within = found.data?.pages[0]?.correct_within_ms ?? null;
  const now = Date.now();
  const mayCorrect = (row: Contact) => Object.keys(labels).length > 0 && (within === null || now - row.ended <= within);
  return (
    <Stack gap={0}>
      <Heading title={t('contacts.title')} note={t(supervisor ? 'contacts.noteSupervisor' : 'contacts.noteAgent')}>
        {(wanted !== null || Object.keys(labels).length > 0) && (
          <NativeSelect
            aria-label={c.filter} value={wanted ?? ''} onChange={(event) => setWanted(event.currentTarget.value || null)} ml="auto"
            data={[{ value: '', label: `${c.filter}: ${c.all}` }, ...Object.entries(labels).map(([value, label]) => ({ value, label })), { value: NONE_CHOSEN, label: w.noneChosen }]}
          />
        )}
        {rows.length > 0 && <Button variant="default" leftSection={<IconFileSpreadsheet size={18} />} loading={saving} onClick={() => void saveAll()}>{t('contacts.save')}</Button>}
      </Heading>
      {found.isError && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} mb="md">
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      <Card padding={0}>
        {found.isPending ? (
          <Stack p="lg" gap="sm" role="status" aria-label={t('loading')}>{Array.from({ length: 6 }, (_, n) => <Skeleton key={n} height={22} />)}</Stack>
        ) : rows.length === 0 ? (
          <Empty icon={<IconHistory size={24} />} title={wanted === null ? t('contacts.none') : c.noneFound}>{wanted === null ? t('contacts.noneText') : c.noneFoundText}</Empty>
        ) : (
          <Box style={{ overflowX: 'auto' }}>
            <Table highlightOnHover className="stack-table">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t('contacts.time')}</Table.Th>
                  <Table.Th>{t('contacts.caller')}</Table.Th>
                  <Table.Th>{t('contacts.queue')}</Table.Th>
                  {supervisor && <Table.Th>{t('contacts.agent')}</Table.Th>}
                  <Table.Th>{t('contacts.outcome')}</Table.Th>
                  <Table.Th ta="right">{t('contacts.wait')}</Table.Th>
                  <Table.Th ta="right">{t('contacts.talk')}</Table.Th>
                  <Table.Th w={70}>{t('contacts.recording')}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map((row, index) => {
                  const today = day(row.arrived, i18n.language, zone);
                  const before = rows[index - 1];
                  const first = before === undefined || day(before.arrived, i18n.language, zone) !== today;
                  const time = timeOfDay(row.arrived, i18n.language, zone);
                  const Icon = DIRECTION_ICON[row.direction];
                  return (
                    <Fragment key={row.contact}>
                      {first && (
                        <Table.Tr className="day-row"><Table.Td colSpan={columns}><Text className="quiet-caps">{today}</Text></Table.Td></Table.Tr>
                      )}
                      <Table.Tr data-playing={playing?.contact === row.contact || undefined}>
                        <Table.Td>
                          <Group gap={8} wrap="nowrap">
                            <Tooltip label={t(`contacts.directions.${row.direction}`)}>
                              <Icon size={16} role="img" aria-label={t(`contacts.directions.${row.direction}`)} color="var(--mantine-color-dimmed)" style={{ flex: 'none' }} />
                            </Tooltip>
                            {time}
                          </Group>
                        </Table.Td>
                        <Table.Td>
                          {row.caller ? (
                            <Box>
                              <Text size="sm" style={{ whiteSpace: 'nowrap' }}>{row.caller.number === '' ? t('call.withheld') : phone(row.caller.number)}</Text>
                              {row.caller.name && <Text size="xs" c="dimmed">{row.caller.name}</Text>}
                            </Box>
                          ) : <Text size="sm" c="dimmed">{t('contacts.erased')}</Text>}
                        </Table.Td>
                        <Table.Td data-label={t('contacts.queue')}>{queues.find((q) => q.queue === row.queue)?.label ?? row.queue ?? '–'}</Table.Td>
                        {supervisor && (
                          <Table.Td data-label={t('contacts.agent')}>{row.answered_at ? t('contacts.elsewhere', { site: row.answered_at }) : (agents.find((a) => a.agent === row.agent)?.badge ?? row.agent ?? '–')}</Table.Td>
                        )}
                        <Table.Td>
                          <Group gap={6} wrap="nowrap" justify="space-between">
                            <Box>
                              <Badge variant="light" color={OUTCOME_COLOR[row.outcome]} tt="none">{t(`contacts.outcomes.${row.outcome}`)}</Badge>
                              {row.disposition !== undefined && <Text size="xs" mt={2} className="disposition">{dispositionText(row.disposition, labels, w.noneChosen)}</Text>}
                              {row.corrected !== undefined && (
                                <Text size="xs" c="dimmed" className="corrected">{c.said} {agents.find((a) => a.agent === row.corrected?.by)?.badge ?? row.corrected.by}, {dayAndTime(row.corrected.at, i18n.language, zone)}</Text>
                              )}
                            </Box>
                            {mayCorrect(row) && (
                              <ActionIcon variant="subtle" color="gray" className="correct" aria-label={`${c.change} ${time}`} onClick={() => setCorrecting(row)}><IconPencil size={16} /></ActionIcon>
                            )}
                          </Group>
                        </Table.Td>
                        <Table.Td ta="right" data-label={t('contacts.wait')}>{row.queued === null ? '–' : clock(row.wait_ms)}</Table.Td>
                        <Table.Td ta="right" data-label={t('contacts.talk')}>{row.answered === null ? '–' : clock(row.talk_ms)}</Table.Td>
                        <Table.Td>
                          {row.recording && (
                            <ActionIcon variant={playing?.contact === row.contact ? 'filled' : 'light'} aria-label={t('contacts.play', { time })} onClick={() => setPlaying(row)}>
                              <IconPlayerPlayFilled size={14} />
                            </ActionIcon>
                          )}
                        </Table.Td>
                      </Table.Tr>
                      {row.notes.length > 0 && (
                        <Table.Tr className="notes-row"><Table.Td colSpan={columns} pt={0}><Notes notes={row.notes} agents={agents} /></Table.Td></Table.Tr>
                      )}
                    </Fragment>
                  );
                })}
              </Table.Tbody>
            </Table>
          </Box>
        )}
      </Card>
      {found.hasNextPage && (
        <Group justify="center" mt="md"><Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t('contacts.older')}</Button></Group>
      )}
      {correcting !== null && (
        <Suspense fallback={null}>
          <CorrectDialog key={correcting.contact} contact={correcting} close={(changed) => {
            setCorrecting(null);
            if (changed) void known.invalidateQueries({ queryKey: ['contacts'] });
          }} />
        </Suspense>
      )}
      {playing?.recording && <Player key={playing.contact} contact={playing} zone={zone} close={() => setPlaying(null)} />}
    </Stack>
  );
}
