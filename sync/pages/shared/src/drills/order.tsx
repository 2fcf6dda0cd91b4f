// Ordering a drill: where, when, and for how long.
import '@mantine/core/styles/SegmentedControl.css';
import '@mantine/core/styles/FloatingIndicator.css';
import { Alert, Button, Group, Modal, NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { refusalText } from '../text/words';
import { useWords } from './words';

const MINUTES_MAX = 480;

export interface Wanted {
  site: string | null;
  /** Null: at once. */
  at: number | null;
  minutes: number;
}

/** `sites`: among which to choose; none where the branch is this one. */
export function OrderDrill({ sites, order, close, waits, error }: { sites?: readonly { value: string; label: string }[]; order: (wanted: Wanted) => void; close: () => void; waits: boolean; error: unknown }) {
  const { t } = useTranslation();
  const words = useWords();
  const [site, setSite] = useState<string | null>(sites?.length === 1 ? sites[0]?.value ?? null : null);
  const [later, setLater] = useState(false);
  const [text, setText] = useState('');
  const [minutes, setMinutes] = useState<number | string>(15);
  const at = later ? Date.parse(text) : null;
  const whole = typeof minutes === 'number' && Number.isInteger(minutes) && minutes >= 1 && minutes <= MINUTES_MAX;
  const good = whole && (sites === undefined || site !== null) && (at === null || Number.isFinite(at));
  return (
    <Modal opened onClose={close} title={words.order} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {error !== null && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, error)}</Alert>}
        <Text size="sm">{words.note}</Text>
        {sites !== undefined && <Select label={words.branch} data={[...sites]} value={site} onChange={setSite} searchable required />}
        <SegmentedControl aria-label={words.when} value={later ? 'later' : 'now'} onChange={(next) => setLater(next === 'later')} data={[{ value: 'now', label: words.now }, { value: 'later', label: words.later }]} />
        {later && <TextInput type="datetime-local" label={words.at} value={text} onChange={(e) => setText(e.currentTarget.value)} required />}
        <NumberInput label={words.minutes} description={words.minutesNote} min={1} max={MINUTES_MAX} allowDecimal={false} value={minutes} onChange={setMinutes} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button disabled={!good} loading={waits} onClick={() => order({ site, at, minutes: Number(minutes) })}>{words.confirm}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
