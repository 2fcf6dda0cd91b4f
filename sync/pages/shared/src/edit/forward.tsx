// Where calls to a phone go instead: one dialog for an own phone, for anybody's, and for the centre.
import { Alert, Button, Group, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { TFunction } from 'i18next';
import type { Forward } from '../model';
import { refusalText } from '../text/words';

export const NO_FORWARD: Forward = { always: null, busy: null, no_answer: null, after_s: 20, unregistered: null };
const WHEN = ['always', 'busy', 'no_answer', 'unregistered'] as const;
const NUMBER = /^\+?\d{2,20}$/;

/** Short words for what is set: `Busy → 202`; null when nothing is. */
export function forwardText(t: TFunction, forward: Forward): string | null {
  const set = WHEN.filter((when) => forward[when] !== null).map((when) => `${t(`forward.${when}`)} → ${forward[when]}`);
  return set.length > 0 ? set.join(', ') : null;
}

export function ForwardDialog({ phone, forward, close, save }: {
  phone: string;
  forward: Forward;
  close: () => void;
  /** Rejects when it was refused. */
  save: (forward: Forward) => Promise<unknown>;
}) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(forward);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const bad = (to: string | null) => to !== null && !NUMBER.test(to);
  const valid = WHEN.every((when) => !bad(draft[when])) && draft.after_s >= 5 && draft.after_s <= 120;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await save(draft);
      close();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  }

  return (
    <Modal opened onClose={close} title={t('forward.title', { phone })} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm" c="dimmed">{t('forward.text')}</Text>
          {error !== null && <Alert color="red" variant="light" role="alert" icon={<IconAlertCircle size={18} />}>{refusalText(t, error)}</Alert>}
          {WHEN.map((when, index) => (
            <TextInput
              key={when}
              label={t(`forward.${when}`)}
              placeholder={t('forward.nowhere')}
              inputMode="tel"
              data-autofocus={index === 0 || undefined}
              value={draft[when] ?? ''}
              error={bad(draft[when]) && t('forward.bad')}
              onChange={(e) => {
                const to = e.currentTarget.value.replace(/[\s().-]/g, '');
                setDraft((was) => ({ ...was, [when]: to || null }));
              }}
            />
          ))}
          <NumberInput label={t('forward.after')} suffix=" s" min={5} max={120} disabled={draft.no_answer === null} value={draft.after_s} onChange={(to) => setDraft((was) => ({ ...was, after_s: Number(to) || 0 }))} />
          <Group justify="space-between" gap="xs">
            <Button variant="subtle" color="gray" onClick={() => setDraft({ ...NO_FORWARD, after_s: draft.after_s })}>{t('forward.none')}</Button>
            <Group gap="xs">
              <Button variant="default" onClick={close}>{t('cancel')}</Button>
              <Button type="submit" loading={busy} disabled={!valid}>{t('save')}</Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
