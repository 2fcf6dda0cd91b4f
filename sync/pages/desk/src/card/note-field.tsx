// The agent's own note: saved as it is typed, and honest about what is not saved.
import { Alert, Button, Group, Text, Textarea } from '@mantine/core';
import { useEffect, useReducer, useState } from 'react';
import { Refusal } from '@shared/api';
import { card, writeNote } from '../api';
import { NOTE_FIELD } from '../keys';
import { NoteKeeper, type Box, type Stored } from './note';
import { useWords } from './words';

const CHARS_MAX = 4_000;
/** Texts that could not be kept when the field was left, by agent and contact, for when it is back. */
const unsaved = new Map<string, string>();
const UNSAVED_MAX = 8;

function remember(key: string, text: string | null) {
  unsaved.delete(key);
  if (text === null) return;
  unsaved.set(key, text);
  if (unsaved.size > UNSAVED_MAX) unsaved.delete(unsaved.keys().next().value ?? '');
}

function boxOf(contact: string): Box {
  return {
    write: (text, base, last) =>
      writeNote(contact, text, base, last).catch((error: unknown) => {
        const code = error instanceof Refusal ? error.code : '';
        return code === 'note_changed' ? 'changed' : code === 'erased' ? 'erased' : 'failed';
      }),
    read: () => card(contact).then((found) => found.known?.note ?? null, () => null),
  };
}

export function NoteField({ agent, contact, stored }: { agent: string; contact: string; stored: Stored }) {
  const w = useWords();
  const key = `${agent}/${contact}`;
  const [note] = useState(() => {
    const keeper = new NoteKeeper(stored, boxOf(contact));
    const text = unsaved.get(key);
    if (text !== undefined) keeper.type(text);
    return keeper;
  });
  const [, draw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    const hidden = () => note.flush();
    remember(key, null);
    const stop = note.subscribe(draw);
    window.addEventListener('pagehide', hidden);
    return () => {
      stop();
      window.removeEventListener('pagehide', hidden);
      note.leave((text) => remember(key, text));
    };
  }, [note, key]);
  const said = { same: note.text === '' ? '' : w.saved, waits: w.saving, saving: w.saving, failed: w.unsaved, changed: '', erased: w.gone }[note.state];
  const bad = note.state === 'failed' || note.state === 'erased';
  return (
    <div>
      <Textarea
        id={NOTE_FIELD} label={w.note} description={w.noteHint} value={note.text} maxLength={CHARS_MAX} minRows={3} maxRows={10} autosize disabled={note.state === 'erased'}
        error={note.text.length >= CHARS_MAX && w.tooLong} onChange={(event) => note.type(event.currentTarget.value)}
      />
      <Text size="xs" mt={4} mih={18} role="status" c={bad ? 'var(--mantine-color-error)' : 'dimmed'} className="note-state" data-state={note.state}>{said}</Text>
      {note.theirs !== null && (
        <Alert color="orange" variant="light" mt="xs" title={w.changed}>
          <Text size="sm" className="note-text">{note.theirs.text}</Text>
          <Group gap="xs" mt="sm">
            <Button size="xs" variant="default" onClick={() => note.keepMine()}>{w.keepMine}</Button>
            <Button size="xs" variant="default" onClick={() => note.takeTheirs()}>{w.takeTheirs}</Button>
          </Group>
        </Alert>
      )}
    </div>
  );
}
