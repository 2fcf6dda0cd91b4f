// What the house promises of its tickets; for supervisors.
import { Alert, Button, Group, Modal, NativeSelect, NumberInput, Skeleton, Stack, Text, Textarea } from '@mantine/core';
import '@mantine/core/styles/NumberInput.css';
import { SLUG } from '@shared/model';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { settings } from '../api';
import { PRIORITIES, setTerms, terms, type Priority, type Terms } from './api';
import { useTicketWords, useWhy } from './words';

export default function TermsDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const w = useTicketWords();
  const why = useWhy();
  const found = useQuery({ queryKey: ['ticket-terms'], queryFn: terms });
  const config = useQuery({ queryKey: ['ticket-hours'], queryFn: settings });
  return (
    <Modal opened onClose={close} title={w.terms} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
      {found.isError ? <Alert color="red" variant="light" role="alert">{why(found.error)}</Alert>
        : found.data && config.data ? <Form stands={found.data} hours={Object.entries(config.data.config.hours).map(([value, { label }]) => ({ value, label }))} close={close} />
          : <Skeleton height={300} role="status" aria-label={t('loading')} />}
    </Modal>
  );
}

/** `delivery: Delivery`, one on each line; null: not understood. */
function categoriesOf(text: string): Record<string, string> | null {
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const pairs = lines.map((line) => /^([^:：]+)[:：](.+)$/.exec(line)).map((found) => [found?.[1]?.trim() ?? '', found?.[2]?.trim() ?? ''] as const);
  return pairs.every(([id, label]) => SLUG.test(id) && label !== '') ? Object.fromEntries(pairs) : null;
}

function Form({ stands, hours, close }: { stands: Terms; hours: { value: string; label: string }[]; close: () => void }) {
  const { t } = useTranslation();
  const w = useTicketWords();
  const why = useWhy();
  const known = useQueryClient();
  const [wanted, setWanted] = useState(stands);
  const [lines, setLines] = useState(Object.entries(stands.categories).map(([id, label]) => `${id}: ${label}`).join('\n'));
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const categories = categoriesOf(lines);
  const promise = (priority: Priority, which: 'first_answer_min' | 'resolution_min', minutes: number) =>
    setWanted({ ...wanted, promises: { ...wanted.promises, [priority]: { ...wanted.promises[priority], [which]: minutes } } });

  async function save(of: Record<string, string>) {
    setBusy(true);
    setFailed(null);
    try {
      await setTerms({ ...wanted, categories: of });
      void known.invalidateQueries();
      close();
    } catch (error) {
      setFailed(error);
      setBusy(false);
    }
  }

  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      if (categories !== null && !busy) void save(categories);
    }}>
      <Stack>
        <Text size="sm" c="dimmed">{w.termsHint}</Text>
        <NativeSelect label={w.hours} value={wanted.hours ?? ''} onChange={(event) => setWanted({ ...wanted, hours: event.currentTarget.value || null })} data={[{ value: '', label: w.hoursOfQueue }, ...hours]} />
        {PRIORITIES.map((priority) => (
          <Group key={priority} grow align="flex-end">
            {(['first_answer_min', 'resolution_min'] as const).map((which) => (
              <NumberInput
                key={which} label={`${w.priorities[priority]}: ${w.promises[which === 'first_answer_min' ? 'first_answer' : 'resolution']} (${w.minutes})`} value={wanted.promises[priority]?.[which] ?? ''}
                min={1} max={525_600} allowDecimal={false} allowNegative={false} hideControls onChange={(value) => promise(priority, which, Number(value))}
              />
            ))}
          </Group>
        ))}
        <NumberInput label={w.warn} value={wanted.warn_percent} min={1} max={99} allowDecimal={false} allowNegative={false} hideControls onChange={(value) => setWanted({ ...wanted, warn_percent: Number(value) })} />
        <Textarea label={w.categories} description={w.categoriesHint} value={lines} error={categories === null && w.badCategories} autosize minRows={2} maxRows={8} onChange={(event) => setLines(event.currentTarget.value)} />
        {failed !== null && <Alert color="red" variant="light" role="alert">{why(failed)}</Alert>}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button type="submit" loading={busy} disabled={categories === null}>{t('save')}</Button>
        </Group>
      </Stack>
    </form>
  );
}
