// What the editors share: the place of a change, the bar that saves, the fields with their findings.
import { ActionIcon, Alert, Box, Button, Card, Group, Modal, NumberInput, Select, Stack, Text, TextInput, Transition } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertCircle, IconPlus, IconX } from '@tabler/icons-react';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { SaidBy } from '../history/said-by';
import { type Blame, type Change, type Config, type Finding, SLUG } from '../model';
import { findingsAt, refusalText } from '../text/words';
import { FindingNotes } from '../ui/bits';

/** What an editor works on, and who may do what here. */
export interface Place {
  config: Config;
  findings: readonly Finding[];
  /** The branch adjusts the day; the centre plans as well. */
  side: 'branch' | 'centre';
  /** Readers only look. */
  readOnly: boolean;
  apply: (changes: Change[]) => Promise<void>;
  /** Who said last what the field or thing at a path is; left out while nobody wants to know. */
  said?: (path: string) => Blame | undefined;
  /** Other branches, for overflow. */
  sites?: readonly { site: string; label: string }[];
}

/** Findings of a field, as the description line of an input wants them, and who set it. */
export function useFindings(place: Place) {
  return (path: string) => {
    const found = findingsAt(place.findings, path);
    const said = place.said?.(path);
    if (found.length === 0 && said === undefined) return null;
    return (
      <>
        <FindingNotes findings={found} />
        {said && <SaidBy said={said} path={path} zone={place.config.site.time_zone} />}
      </>
    );
  };
}

/** Saves a draft, and says what came of it. */
export function useApply(place: Place) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  async function apply(changes: Change[]): Promise<boolean> {
    setBusy(true);
    setError(null);
    try {
      await place.apply(changes);
      notifications.show({ color: 'pine', title: t('saved'), message: t('savedText'), closeButtonProps: { 'aria-label': t('close') } });
      return true;
    } catch (refused) {
      setError(refused);
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { apply, busy, error, clear: () => setError(null) };
}

/** The bar below a changed form. */
export function SaveBar({ count, busy, error, valid, save, discard }: {
  count: number;
  busy: boolean;
  error: unknown;
  valid: boolean;
  save: () => void;
  discard: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Transition mounted={count > 0 || error !== null} transition="slide-up" duration={150}>
      {(style) => (
        <Card style={{ ...style, position: 'sticky', bottom: 12, zIndex: 5 }} shadow="md" padding="sm" mt="lg" role="region" aria-label={t('unsaved')}>
          {error !== null && (
            <Alert color="red" variant="light" mb="sm" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, error)}</Alert>
          )}
          <Group justify="space-between" gap="sm">
            <Text size="sm" c="dimmed">{count > 0 && t('unsaved')}</Text>
            <Group gap="xs">
              <Button variant="default" onClick={discard} disabled={busy}>{t('discard')}</Button>
              <Button onClick={save} loading={busy} disabled={!valid || count === 0}>{t('save')}</Button>
            </Group>
          </Group>
        </Card>
      )}
    </Transition>
  );
}

/** A draft of something that may change below us: it follows until somebody types. */
export function useDraft<V>(stands: V, key: string) {
  const text = JSON.stringify(stands);
  const [draft, setDraft] = useState(stands);
  const [base, setBase] = useState({ text, key });
  const dirty = JSON.stringify(draft) !== base.text;
  useEffect(() => {
    if (base.key !== key || (!dirty && base.text !== text)) {
      setDraft(stands);
      setBase({ text, key });
    }
  }, [text, key, dirty, base, stands]);
  return { draft, set: (part: Partial<V>) => setDraft((old) => ({ ...old, ...part })), reset: () => { setDraft(stands); setBase({ text, key }); } };
}

export function Seconds({ label, hint, value, min, max, set, disabled, notes }: {
  label: string;
  hint?: string;
  value: number;
  min: number;
  max: number;
  set: (value: number) => void;
  disabled?: boolean;
  notes?: ReactNode;
}) {
  const { t } = useTranslation();
  const bad = value < min || value > max || !Number.isFinite(value);
  return (
    <Box>
      <NumberInput
        label={label}
        description={hint}
        value={Number.isFinite(value) ? value : ''}
        onChange={(next) => set(next === '' ? Number.NaN : Number(next))}
        suffix={` ${t('seconds')}`}
        min={min}
        max={max}
        clampBehavior="none"
        allowDecimal={false}
        allowNegative={false}
        disabled={disabled}
        error={bad ? t('fields.bounds', { min, max }) : undefined}
      />
      {notes}
    </Box>
  );
}

/** Skills with levels: of a queue (wanted) or an agent (had). */
export function Skills({ label, skills, known, set, disabled, notes }: {
  label: string;
  skills: Record<string, number>;
  known: readonly string[];
  set: (skills: Record<string, number>) => void;
  disabled?: boolean;
  notes?: ReactNode;
}) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState('');
  const free = known.filter((skill) => !(skill in skills));
  const add = () => {
    const skill = adding.trim().toLowerCase();
    if (!SLUG.test(skill) || skill in skills) return;
    set({ ...skills, [skill]: 5 });
    setAdding('');
  };
  const levels = Array.from({ length: 10 }, (_, n) => ({ value: String(n + 1), label: t('fields.level', { level: n + 1 }) }));
  const list = `skills-${label}`;
  return (
    <Box role="group" aria-label={label}>
      <Text size="sm" fw={600} mb={6}>{label}</Text>
      <Stack gap={6}>
        {Object.entries(skills).map(([skill, level]) => (
          <Group key={skill} gap="xs" wrap="nowrap">
            <Text size="sm" w={140} truncate>{skill}</Text>
            <Select
              aria-label={`${skill}, ${t('fields.level', { level })}`}
              data={levels}
              value={String(level)}
              onChange={(next) => next && set({ ...skills, [skill]: Number(next) })}
              allowDeselect={false}
              disabled={disabled}
              w={130}
              size="xs"
            />
            {!disabled && (
              <ActionIcon variant="subtle" color="gray" aria-label={t('fields.removeSkill', { skill })} onClick={() => {
                const { [skill]: _, ...rest } = skills;
                set(rest);
              }}>
                <IconX size={16} />
              </ActionIcon>
            )}
          </Group>
        ))}
        {Object.keys(skills).length === 0 && <Text size="sm" c="dimmed">{t('none')}</Text>}
        {!disabled && (
          <Group gap="xs" wrap="nowrap">
            <TextInput
              aria-label={t('fields.skillName')}
              placeholder={t('fields.skillName')}
              list={list}
              value={adding}
              onChange={(event) => setAdding(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter') return;
                event.preventDefault();
                add();
              }}
              size="xs"
              w={140}
            />
            <datalist id={list}>{free.map((skill) => <option key={skill} value={skill} />)}</datalist>
            <Button size="xs" variant="light" leftSection={<IconPlus size={14} />} onClick={add} disabled={!SLUG.test(adding.trim().toLowerCase())}>
              {t('fields.addSkill')}
            </Button>
          </Group>
        )}
      </Stack>
      {notes}
    </Box>
  );
}

/** Every skill that is named anywhere. */
export function skillsOf(config: Config): string[] {
  const all = [...Object.values(config.queues), ...Object.values(config.agents)].flatMap((of) => Object.keys(of.skills));
  return [...new Set(all)].sort();
}

/** A dialog that names a new thing. */
export function NewDialog({ title, labelText, taken, open, close, create, error }: {
  title: string;
  labelText: string;
  taken: readonly string[];
  open: boolean;
  close: () => void;
  create: (id: string, label: string) => Promise<boolean>;
  error: unknown;
}) {
  const { t } = useTranslation();
  const [id, setId] = useState('');
  const [label, setLabel] = useState('');
  const [typed, setTyped] = useState(false);
  const [busy, setBusy] = useState(false);
  const bad = taken.includes(id) ? t('fields.idTaken') : id !== '' && !SLUG.test(id) ? t('fields.idBad') : undefined;
  useEffect(() => {
    if (open) {
      setId('');
      setLabel('');
      setTyped(false);
    }
  }, [open]);
  return (
    <Modal opened={open} onClose={close} title={title} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        setBusy(true);
        void create(id, label.trim()).then((done) => {
          setBusy(false);
          if (done) close();
        });
      }}>
        <Stack>
          {error !== null && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, error)}</Alert>}
          <TextInput label={labelText} value={label} required maxLength={60} data-autofocus onChange={(event) => {
            const text = event.currentTarget.value;
            setLabel(text);
            if (!typed) setId(slug(text));
          }} />
          <TextInput label={t('fields.id')} description={t('fields.idHint')} value={id} required error={bad} onChange={(event) => {
            setTyped(true);
            setId(event.currentTarget.value);
          }} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" loading={busy} disabled={!SLUG.test(id) || bad !== undefined || label.trim() === ''}>{t('add')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40);
}

/** Asks once more before something goes. */
export function RemoveButton({ label, text, remove }: { label: string; text: string; remove: () => Promise<boolean> }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  return (
    <>
      <Button variant="subtle" color="red" mr="calc(var(--mantine-spacing-md) * -1)" onClick={() => setOpen(true)}>{label}</Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={label} closeButtonProps={{ 'aria-label': t('close') }}>
        <Text size="sm" mb="lg">{text}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => setOpen(false)} data-autofocus>{t('cancel')}</Button>
          <Button color="red" loading={busy} onClick={() => {
            setBusy(true);
            void remove().finally(() => {
              setBusy(false);
              setOpen(false);
            });
          }}>{t('remove')}</Button>
        </Group>
      </Modal>
    </>
  );
}
