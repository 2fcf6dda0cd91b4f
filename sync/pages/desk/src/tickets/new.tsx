// A new ticket, from the contact that is talked to or from nothing.
import { Alert, Button, Group, Modal, NativeSelect, Stack, TextInput, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine, QueueLine } from '../api';
import { COMMENT_CHARS_MAX, PRIORITIES, SUBJECT_CHARS_MAX, openTicket, terms, type Priority } from './api';
import { useTicketWords, useWhy } from './words';

interface Props {
  self: string;
  contact: string | null;
  queue: string | null;
  queues: readonly QueueLine[];
  agents: readonly AgentLine[];
  close: (made: string | null) => void;
}

export default function NewTicket({ self, contact, queue: begins, queues, agents, close }: Props) {
  const { t } = useTranslation();
  const w = useTicketWords();
  const why = useWhy();
  const known = useQuery({ queryKey: ['ticket-terms'], queryFn: terms, staleTime: 60_000 });
  const [subject, setSubject] = useState('');
  const [text, setText] = useState('');
  const [queue, setQueue] = useState(begins ?? '');
  const [assignee, setAssignee] = useState('');
  const [priority, setPriority] = useState<Priority>('normal');
  const [category, setCategory] = useState('');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const categories = Object.entries(known.data?.categories ?? {});
  const others = agents.filter((line) => line.agent !== self);

  async function make() {
    setBusy(true);
    setFailed(null);
    try {
      const made = await openTicket({ subject, text, queue: queue || null, assignee: assignee || null, priority, category: category || null, contact });
      close(made.ticket);
    } catch (error) {
      setFailed(error);
      setBusy(false);
    }
  }

  return (
    <Modal opened onClose={() => close(null)} title={w.new} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        if (subject.trim() !== '' && !busy) void make();
      }}>
        <Stack>
          <TextInput label={w.subject} value={subject} maxLength={SUBJECT_CHARS_MAX} onChange={(event) => setSubject(event.currentTarget.value)} required data-autofocus />
          <Textarea label={w.text} value={text} maxLength={COMMENT_CHARS_MAX} minRows={3} maxRows={10} autosize onChange={(event) => setText(event.currentTarget.value)} />
          <Group grow align="flex-start">
            <NativeSelect label={w.priority} value={priority} onChange={(event) => setPriority(event.currentTarget.value as Priority)} data={PRIORITIES.map((value) => ({ value, label: w.priorities[value] }))} />
            {categories.length > 0 && <NativeSelect label={w.category} value={category} onChange={(event) => setCategory(event.currentTarget.value)} data={[{ value: '', label: w.noCategory }, ...categories.map(([value, label]) => ({ value, label }))]} />}
          </Group>
          <Group grow align="flex-start">
            <NativeSelect label={w.queue} value={queue} onChange={(event) => setQueue(event.currentTarget.value)} data={[{ value: '', label: w.noQueue }, ...queues.map((line) => ({ value: line.queue, label: line.label }))]} />
            <NativeSelect label={w.assignee} value={assignee} onChange={(event) => setAssignee(event.currentTarget.value)} data={[{ value: '', label: w.nobody }, { value: self, label: w.mine }, ...others.map((line) => ({ value: line.agent, label: line.badge }))]} />
          </Group>
          {failed !== null && <Alert color="red" variant="light" role="alert">{why(failed)}</Alert>}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => close(null)}>{t('cancel')}</Button>
            <Button type="submit" loading={busy} disabled={subject.trim() === ''}>{w.new}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
