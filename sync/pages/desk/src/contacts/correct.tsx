// What came of a contact that is over, said anew, with the reader's own note on it.
import '@mantine/core/styles/Combobox.css';
import { Alert, Button, Group, Modal, Select, Skeleton, Stack, Text, Textarea } from '@mantine/core';
import { Refusal } from '@shared/api';
import { refusalText } from '@shared/text/words';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { card, writeNote, type Card, type Contact } from '../api';
import { useWords } from '../card/words';
import { correct } from './api';
import { useContactWords } from './words';

const CHARS_MAX = 4_000;

interface Props {
  contact: Contact;
  /** `changed`: something was kept. */
  close: (changed: boolean) => void;
}

export default function CorrectDialog({ contact, close }: Props) {
  const { t } = useTranslation();
  const w = useContactWords();
  const found = useQuery({ queryKey: ['correct', contact.contact], queryFn: () => card(contact.contact), gcTime: 0, staleTime: Infinity, refetchOnWindowFocus: false });
  return (
    <Modal opened onClose={() => close(false)} title={w.title} closeButtonProps={{ 'aria-label': t('close') }}>
      {found.isPending ? <Skeleton height={180} role="status" aria-label={t('loading')} />
        : found.data?.known ? <Form contact={contact} found={found.data} note={found.data.known.note} close={close} />
          : <Alert color="orange" variant="light" role="alert">{found.isError ? refusalText(t, found.error) : w.missing}</Alert>}
    </Modal>
  );
}

function Form({ contact, found, note, close }: Props & { found: Card; note: { version: number; text: string } }) {
  const { t } = useTranslation();
  const w = useContactWords();
  const c = useWords();
  const stood = typeof contact.disposition === 'object' ? contact.disposition.code : null;
  const [code, setCode] = useState(stood);
  const [text, setText] = useState(note.text);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  // One that the queue has no more is shown as it is.
  const all = stood !== null && !(stood in found.dispositions) ? { ...found.dispositions, [stood]: stood } : found.dispositions;
  const fresh = code !== stood || text !== note.text;

  async function save() {
    setBusy(true);
    setFailed(null);
    try {
      if (code !== null && code !== stood) await correct(contact.contact, code);
      if (text !== note.text) await writeNote(contact.contact, text, note.version, false);
      close(true);
    } catch (error) {
      setFailed(error);
      setBusy(false);
    }
  }

  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      if (fresh && !busy) void save();
    }}>
      <Stack>
        <Select
          label={c.disposition} placeholder={c.choose} nothingFoundMessage={c.nothingFound} value={code} onChange={setCode} data={Object.entries(all).map(([value, label]) => ({ value, label }))}
          allowDeselect={false} searchable selectFirstOptionOnChange data-autofocus
        />
        <Textarea label={w.note} description={w.noteHint} value={text} maxLength={CHARS_MAX} minRows={3} maxRows={10} autosize onChange={(event) => setText(event.currentTarget.value)} />
        <Text size="xs" c="dimmed">{w.hint}</Text>
        {failed !== null && <Alert color="red" variant="light" role="alert">{failed instanceof Refusal ? (w.refusals[failed.code] ?? refusalText(t, failed)) : refusalText(t, failed)}</Alert>}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => close(false)}>{t('cancel')}</Button>
          <Button type="submit" loading={busy} disabled={!fresh}>{t('save')}</Button>
        </Group>
      </Stack>
    </form>
  );
}
