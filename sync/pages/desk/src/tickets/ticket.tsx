// One ticket: how it stands, what happened, and what comes next.
import '@mantine/core/styles/Skeleton.css';
import './tickets.css';
import { ActionIcon, Alert, Box, Button, Card, Group, NativeSelect, SimpleGrid, Skeleton, Stack, Text, TextInput, Textarea, Title } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconArrowLeft, IconHandGrab, IconPencil, IconPlayerPlayFilled } from '@tabler/icons-react';
import { Refusal } from '@shared/api';
import { dayAndTime, phone } from '@shared/format';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { wavOf } from '../api';
import { COMMENT_CHARS_MAX, PRIORITIES, SUBJECT_CHARS_MAX, act, ticket, type Act, type Priority, type Said, type TicketShown } from './api';
import { PriorityText, Promises, StateBadge, badgeOf } from './bits';
import type { Props } from './tickets';
import { useTicketWords, useWhy, type Words } from './words';

export default function TicketPage({ id, close, news, ...props }: Props & { id: string; close: () => void }) {
  const { t } = useTranslation();
  const w = useTicketWords();
  const why = useWhy();
  const known = useQueryClient();
  const key = ['ticket', id];
  const found = useQuery({ queryKey: key, queryFn: () => ticket(id) });
  const [failed, setFailed] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (news > 0) void known.invalidateQueries({ queryKey: ['ticket'] });
  }, [known, news]);
  useHotkeys([['Escape', close]]);

  /** True: it is done. */
  async function does(acts: Act[]): Promise<boolean> {
    if (found.data === undefined) return false;
    setBusy(true);
    setFailed(null);
    try {
      known.setQueryData(key, await act(id, found.data.version, acts));
      return true;
    } catch (error) {
      setFailed(error);
      // Somebody was faster: how it stands is shown, and nothing that was typed is lost.
      void known.invalidateQueries({ queryKey: key });
      return false;
    } finally {
      setBusy(false);
      void known.invalidateQueries({ queryKey: ['tickets'] });
    }
  }

  const changed = failed instanceof Refusal && failed.code === 'ticket_changed';
  return (
    <Stack gap="md">
      <Group><Button variant="subtle" leftSection={<IconArrowLeft size={18} />} onClick={close} autoFocus>{w.back}</Button></Group>
      {failed !== null && <Alert ref={(told) => told?.scrollIntoView({ block: 'center' })} color={changed ? 'orange' : 'red'} variant="light" role="alert" withCloseButton closeButtonLabel={t('close')} onClose={() => setFailed(null)}>{changed ? w.changed : why(failed)}</Alert>}
      {found.isPending && <Skeleton height={300} role="status" />}
      {found.isError && <Alert color="red" variant="light" role="alert">{why(found.error)}</Alert>}
      {/* What was typed stays where a reading has failed. */}
      {found.data !== undefined && <Shown shown={found.data} busy={busy} does={does} {...props} />}
    </Stack>
  );
}

interface ShownProps extends Omit<Props, 'news'> {
  shown: TicketShown;
  busy: boolean;
  does: (acts: Act[]) => Promise<boolean>;
}

function Shown(props: ShownProps) {
  const { shown, me, busy, does } = props;
  const { t } = useTranslation();
  const w = useTicketWords();
  const [subject, setSubject] = useState<string | null>(null);
  const own = shown.assignee === me.agent;
  const open = shown.state !== 'closed';
  const take: Act[] = [{ do: 'assign', agent: me.agent, queue: shown.queue }, ...(shown.state === 'open' ? [{ do: 'move' as const, to: 'waits_for_us' as const }] : [])];
  return (
    <>
      <Group justify="space-between" align="flex-start" gap="sm">
        <Box miw={0} style={{ flex: '1 1 320px' }}>
          <Text className="quiet-caps">{w.number} #{shown.number}</Text>
          {subject === null ? (
            <Group gap="xs" wrap="nowrap">
              <Title order={1} size="h3" className="note-text">{shown.subject ?? w.erased}</Title>
              {open && shown.subject !== null && <ActionIcon variant="subtle" color="gray" aria-label={w.rename} onClick={() => setSubject(shown.subject)}><IconPencil size={16} /></ActionIcon>}
            </Group>
          ) : (
            <form onSubmit={(event) => {
              event.preventDefault();
              void does([{ do: 'rename', subject }]).then((done) => done && setSubject(null));
            }}>
              <Group gap="xs" align="flex-end" wrap="nowrap">
                <TextInput label={w.subject} value={subject} maxLength={SUBJECT_CHARS_MAX} onChange={(event) => setSubject(event.currentTarget.value)} style={{ flex: 1 }} autoFocus />
                <Button type="submit" disabled={subject.trim() === ''} loading={busy}>{t('save')}</Button>
                <Button variant="default" onClick={() => setSubject(null)}>{t('cancel')}</Button>
              </Group>
            </form>
          )}
          <Group gap="sm" mt={6}><StateBadge state={shown.state} /><PriorityText priority={shown.priority} /></Group>
        </Box>
        <Group gap="xs">
          {!own && open && <Button leftSection={<IconHandGrab size={18} />} loading={busy} onClick={() => void does(take)}>{w.take}</Button>}
          {shown.moves.map((to) => <Button key={to} variant={to === 'solved' ? 'light' : 'default'} color={to === 'closed' ? 'red' : undefined} disabled={busy} onClick={() => void does([{ do: 'move', to }])}>{w.moves[to]}</Button>)}
        </Group>
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" style={{ alignItems: 'start' }}>
        <Card component="section" aria-label={w.history}>
          <Text component="h2" fw={600} mb="sm">{w.history}</Text>
          <Box component="ol" m={0} p={0} className="ticket-entries">
            {shown.entries.map((entry, n) => <Entry key={n} entry={entry} {...props} />)}
          </Box>
          {open && <CommentField {...props} />}
        </Card>
        <Stack>
          <Settings {...props} />
          <Links {...props} />
        </Stack>
      </SimpleGrid>
    </>
  );
}

function said(what: TicketShown['entries'][number]['what'], w: Words, { shown, queues, agents }: ShownProps): string {
  const queue = (id: string | null) => (id === null ? null : (queues.find((line) => line.queue === id)?.label ?? id));
  switch (what.is) {
    case 'opened': return what.queue === null ? w.told.opened : `${w.told.opened_for} ${queue(what.queue)}`;
    case 'moved': return `${w.told.moved} ${w.states[what.to]}`;
    case 'assigned': return `${w.told.assigned} ${[what.agent === null ? null : badgeOf(agents, what.agent), queue(what.queue)].filter(Boolean).join(', ') || w.nobody}`;
    case 'rated': return `${w.told.rated} ${w.priorities[what.priority]}`;
    case 'sorted': return `${w.told.sorted} ${what.category === null ? w.noCategory : (shown.categories[what.category] ?? what.category)}`;
    case 'linked': return w.told.linked;
    case 'commented': return what.said === 'inside' ? w.told.commented_inside : w.told.commented_to_customer;
    case 'renamed': return w.told.renamed;
    default: return `${w.told[what.is]} ${w.promises[what.promise]}`;
  }
}

function Entry({ entry, ...props }: ShownProps & { entry: TicketShown['entries'][number] }) {
  const { i18n } = useTranslation();
  const w = useTicketWords();
  const who = entry.by === null ? w.clock : badgeOf(props.agents, entry.by);
  return (
    <li data-is={entry.what.is}>
      <Text size="xs" c="dimmed">{dayAndTime(entry.at, i18n.language, props.me.site.time_zone)}</Text>
      <Text size="sm"><Text span inherit fw={600}>{who}</Text> {said(entry.what, w, props)}</Text>
      {entry.text !== null && <Text size="sm" mt={2} className="note-text">{entry.text}</Text>}
    </li>
  );
}

function CommentField({ shown, busy, does }: ShownProps) {
  const w = useTicketWords();
  const [text, setText] = useState('');
  const send = (how: Said) => {
    if (text.trim() !== '' && !busy) void does([{ do: 'comment', said: how, text }]).then((done) => done && setText(''));
  };
  return (
    <Box mt="md">
      <Textarea
        label={w.comment} description={w.commentHint} value={text} maxLength={COMMENT_CHARS_MAX} minRows={3} maxRows={12} autosize disabled={shown.subject === null}
        onChange={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && send('inside')}
      />
      <Group gap="xs" mt="xs">
        <Button variant="light" loading={busy} disabled={text.trim() === ''} onClick={() => send('inside')}>{w.inside}</Button>
        <Button variant="light" color="green" loading={busy} disabled={text.trim() === ''} onClick={() => send('to_customer')}>{w.toCustomer}</Button>
      </Group>
    </Box>
  );
}

function Settings({ shown, me, queues, agents, busy, does }: ShownProps) {
  const w = useTicketWords();
  const fixed = busy || shown.state === 'closed';
  const categories = Object.entries(shown.categories);
  const others = agents.filter((line) => line.agent !== me.agent).map((line) => ({ value: line.agent, label: line.badge }));
  // Somebody who is not on the board is shown as they are.
  const known = shown.assignee === null || shown.assignee === me.agent || others.some((line) => line.value === shown.assignee);
  const people = [{ value: '', label: w.nobody }, { value: me.agent, label: w.mine }, ...others, ...(known ? [] : [{ value: shown.assignee ?? '', label: shown.assignee ?? '' }])];
  return (
    <Card>
      <Stack gap="sm">
        <Promises row={shown} now={shown.now} zone={me.site.time_zone} />
        <NativeSelect label={w.assignee} value={shown.assignee ?? ''} disabled={fixed} onChange={(event) => void does([{ do: 'assign', agent: event.currentTarget.value || null, queue: shown.queue }])} data={people} />
        <NativeSelect label={w.queue} value={shown.queue ?? ''} disabled={fixed} onChange={(event) => void does([{ do: 'assign', agent: shown.assignee, queue: event.currentTarget.value || null }])} data={[{ value: '', label: w.noQueue }, ...queues.map((line) => ({ value: line.queue, label: line.label }))]} />
        <NativeSelect label={w.priority} value={shown.priority} disabled={fixed} onChange={(event) => void does([{ do: 'rate', priority: event.currentTarget.value as Priority }])} data={PRIORITIES.map((value) => ({ value, label: w.priorities[value] }))} />
        {categories.length > 0 && <NativeSelect label={w.category} value={shown.category ?? ''} disabled={fixed} onChange={(event) => void does([{ do: 'sort', category: event.currentTarget.value || null }])} data={[{ value: '', label: w.noCategory }, ...categories.map(([value, label]) => ({ value, label }))]} />}
      </Stack>
    </Card>
  );
}

function Links({ shown, me, agents }: ShownProps) {
  const { i18n } = useTranslation();
  const w = useTicketWords();
  const [playing, setPlaying] = useState<string | null>(null);
  if (shown.links.length === 0) return null;
  return (
    <Card component="section" aria-label={w.contacts}>
      <Text component="h2" fw={600} mb="xs">{w.contacts}</Text>
      <Stack gap={0} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {shown.links.map((link) => {
          const when = link.arrived === null ? w.goesOn : dayAndTime(link.arrived, i18n.language, me.site.time_zone);
          return (
            <Box component="li" key={link.contact} py={6}>
              <Group justify="space-between" wrap="nowrap">
                <Box miw={0}>
                  <Text size="sm" fw={500}>{link.caller === null ? w.erased : link.caller.number === '' ? w.withheld : phone(link.caller.number)}{link.caller?.name && ` · ${link.caller.name}`}</Text>
                  <Text size="xs" c="dimmed">{[when, link.agent === null ? null : badgeOf(agents, link.agent)].filter(Boolean).join(' · ')}</Text>
                </Box>
                {link.recording !== null && <ActionIcon variant={playing === link.recording ? 'filled' : 'light'} aria-label={`${w.play} ${when}`} onClick={() => setPlaying(link.recording)}><IconPlayerPlayFilled size={14} /></ActionIcon>}
              </Group>
              {link.recording !== null && playing === link.recording && <audio controls autoPlay src={wavOf(link.recording)} style={{ width: '100%', height: 36, marginTop: 6 }} aria-label={`${w.play} ${when}`} />}
            </Box>
          );
        })}
      </Stack>
    </Card>
  );
}
