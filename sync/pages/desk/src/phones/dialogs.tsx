// What a supervisor does with a phone: lets a device fetch, has it fetch again, shuts it out.
import { Alert, Button, Code, CopyButton, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { refusalText } from '@shared/text/words';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { dismiss, enrol, rotate, type PhoneLine } from './api';

interface Props {
  line: PhoneLine;
  close: () => void;
  done: () => void;
}

const MAKES = [['yealink', 'Yealink'], ['grandstream', 'Grandstream'], ['poly', 'Poly (Polycom)'], ['snom', 'Snom']] as const;
const MAC = /^([0-9a-f]{2}[:-]?){5}[0-9a-f]{2}$/i;

export function EnrolDialog({ line, close, done }: Props) {
  const { t } = useTranslation();
  const [make, setMake] = useState<string>(line.enrolled?.make ?? 'yealink');
  const [mac, setMac] = useState('');
  const [windowMin, setWindowMin] = useState(0);
  const [url, setUrl] = useState<string | null>(null);
  const doing = useDoing();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void doing.run(async () => {
      setUrl((await enrol(line.phone, { mac: mac.trim(), make, window_min: windowMin })).url);
      done();
    });
  };
  return (
    <Modal opened onClose={close} title={t('phones.enrolTitle', { phone: line.phone })} closeButtonProps={{ 'aria-label': t('close') }}>
      {url === null ? (
        <form onSubmit={submit}>
          <Stack>
            <Text size="sm" c="dimmed">{t('phones.enrolText')}</Text>
            <Fault error={doing.error} />
            <Select label={t('phones.make')} allowDeselect={false} data={MAKES.map(([value, label]) => ({ value, label }))} value={make} onChange={(to) => setMake(to ?? 'yealink')} />
            <TextInput label={t('phones.mac')} description={t('phones.macHint')} placeholder="00:15:65:ab:cd:ef" data-autofocus required withAsterisk={false} value={mac} error={mac !== '' && !MAC.test(mac.trim()) && t('phones.macBad')} onChange={(e) => setMac(e.currentTarget.value)} />
            <NumberInput label={t('phones.windowMin')} description={t('phones.windowHint')} min={0} max={1440} value={windowMin} onChange={(to) => setWindowMin(Number(to) || 0)} />
            <Buttons close={close} busy={doing.busy} disabled={!MAC.test(mac.trim())} act={t('phones.enrol')} />
          </Stack>
        </form>
      ) : (
        <Stack>
          <Text size="sm">{t('phones.url')}</Text>
          <Code block style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{url}</Code>
          <Group justify="flex-end" gap="xs">
            <CopyButton value={url}>{({ copied, copy }) => <Button variant="default" onClick={copy}>{t(copied ? 'phones.copied' : 'phones.copy')}</Button>}</CopyButton>
            <Button onClick={close} data-autofocus>{t('close')}</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}

export function RotateDialog(props: Props) {
  const { t } = useTranslation();
  return <Sure {...props} title={t('phones.rotate')} text={t('phones.rotateText', { phone: props.line.phone })} run={() => rotate(props.line.phone)} />;
}

export function DismissDialog(props: Props) {
  const { t } = useTranslation();
  return <Sure {...props} danger title={t('phones.dismiss')} text={t('phones.dismissText', { phone: props.line.phone })} run={() => dismiss(props.line.phone)} />;
}

function Sure({ title, text, run, close, done, danger = false }: Props & { title: string; text: ReactNode; run: () => Promise<unknown>; danger?: boolean }) {
  const doing = useDoing();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void doing.run(async () => {
      await run();
      done();
      close();
    });
  };
  const { t } = useTranslation();
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">{text}</Text>
          <Fault error={doing.error} />
          <Buttons close={close} busy={doing.busy} disabled={false} act={title} danger={danger} />
        </Stack>
      </form>
    </Modal>
  );
}

function Buttons({ close, busy, disabled, act, danger = false }: { close: () => void; busy: boolean; disabled: boolean; act: string; danger?: boolean }) {
  const { t } = useTranslation();
  return (
    <Group justify="flex-end" gap="xs">
      <Button variant="default" onClick={close}>{t('cancel')}</Button>
      <Button type="submit" color={danger ? 'red' : undefined} loading={busy} disabled={disabled}>{act}</Button>
    </Group>
  );
}

function Fault({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error === null) return null;
  return <Alert color="red" variant="light" role="alert" icon={<IconAlertCircle size={18} />}>{refusalText(t, error)}</Alert>;
}

function useDoing() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  async function run(act: () => Promise<void>) {
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (refused) {
      setError(refused);
    } finally {
      setBusy(false);
    }
  }
  return { busy, error, run };
}
