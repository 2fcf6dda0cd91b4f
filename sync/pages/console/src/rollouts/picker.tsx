// Which changes are rolled out: those of a template, those that somebody has made at a branch and seen work there, or
// written by hand.
import { Alert, Button, Checkbox, CloseButton, Group, Modal, Select, Skeleton, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertCircle, IconCode, IconDeviceFloppy, IconHistory } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import type { Change } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { queries } from '@shared/ui/queries';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { history, type SiteLine } from '../api';
import { keepTemplate, type Template } from './api';
import { useChangeText } from './changes';

const NAME = /^[a-z0-9-]{1,40}$/;

interface Props {
  changes: readonly Change[];
  set: (changes: Change[]) => void;
  sites: readonly SiteLine[];
  templates: readonly Template[];
  /** Proposed for a template. */
  label: string;
}

export function Picker({ changes, set, sites, templates, label }: Props) {
  const { t } = useTranslation();
  const text = useChangeText();
  const [made, fromBranch] = useDisclosure(false);
  const [written, byHand] = useDisclosure(false);
  const [keeping, keep] = useDisclosure(false);
  return (
    <Stack gap="sm">
      {changes.length === 0 ? <Text size="sm" c="dimmed">{t('rollouts.noChanges')}</Text> : (
        <ul className="plain-list" aria-label={t('rollouts.what')}>
          {changes.map((change, index) => (
            <li key={index}>
              <Group gap="xs" wrap="nowrap">
                <Text size="sm" flex={1} style={{ overflowWrap: 'anywhere' }}>{text(change)}</Text>
                <CloseButton size="sm" aria-label={t('rollouts.without', { change: text(change) })} onClick={() => set(changes.filter((_, n) => n !== index))} />
              </Group>
            </li>
          ))}
        </ul>
      )}
      <Group gap="xs" align="flex-end">
        {templates.length > 0 && <Select aria-label={t('rollouts.fromTemplate')} placeholder={t('rollouts.fromTemplate')} data={templates.map((template) => ({ value: template.template, label: template.label }))} value={null} onChange={(name) => set([...changes, ...(templates.find((template) => template.template === name)?.changes ?? [])])} />}
        <Button variant="default" leftSection={<IconHistory size={16} aria-hidden />} onClick={fromBranch.open}>{t('rollouts.fromBranch')}</Button>
        <Button variant="default" leftSection={<IconCode size={16} aria-hidden />} onClick={byHand.open}>{t('rollouts.byHand')}</Button>
        {changes.length > 0 && <Button variant="subtle" leftSection={<IconDeviceFloppy size={16} aria-hidden />} onClick={keep.open}>{t('templates.keep')}</Button>}
      </Group>
      {made && <Made sites={sites} add={(more) => set([...changes, ...more])} close={fromBranch.close} />}
      {written && <ByHand changes={changes} set={set} close={byHand.close} />}
      {keeping && <Keep changes={[...changes]} label={label} close={keep.close} />}
    </Stack>
  );
}

/** The newest typed changes of a branch. */
function Made({ sites, add, close }: { sites: readonly SiteLine[]; add: (changes: Change[]) => void; close: () => void }) {
  const { t, i18n } = useTranslation();
  const text = useChangeText();
  const [site, setSite] = useState<string | null>(null);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const found = useQuery({ queryKey: ['site', site, 'history', 'made'], queryFn: () => history(site ?? '', '', 0), enabled: site !== null });
  const entries = (found.data?.entries ?? []).flatMap(({ doc, seq, author, taken, change }) => {
    if (change === null || !('set' in change)) return [];
    // That it came by a roll-out is no part of it.
    const { rollout: _, ...plain } = change as Change & { rollout?: number };
    return [{ key: `${doc}${seq}`, author, taken, change: plain as Change }];
  });
  const tick = (key: string) => {
    const next = new Set(ticked);
    if (!next.delete(key)) next.add(key);
    setTicked(next);
  };
  return (
    <Modal opened onClose={close} size="lg" title={t('rollouts.fromBranch')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <Text size="sm">{t('rollouts.fromBranchText')}</Text>
        <Select label={t('sites.branch')} data={sites.map((each) => ({ value: each.site, label: each.label }))} value={site} onChange={(next) => { setSite(next); setTicked(new Set()); }} searchable data-autofocus />
        {found.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>{refusalText(t, found.error)}</Alert>}
        {site !== null && found.isPending && <Skeleton height={80} role="status" aria-label={t('loading')} />}
        {found.data && entries.length === 0 && <Text size="sm" c="dimmed">{t('history.none')}</Text>}
        {entries.map((entry) => <Checkbox key={entry.key} label={text(entry.change)} description={`${entry.author ?? ''} ${dayAndTime(entry.taken, i18n.language)}`} checked={ticked.has(entry.key)} onChange={() => tick(entry.key)} />)}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          {/* Told newest first; made in the order of time. */}
          <Button disabled={ticked.size === 0} onClick={() => { add(entries.filter((entry) => ticked.has(entry.key)).map((entry) => entry.change).reverse()); close(); }}>{t('rollouts.take')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function ByHand({ changes, set, close }: { changes: readonly Change[]; set: (changes: Change[]) => void; close: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(() => JSON.stringify(changes, null, 2));
  const read = (): Change[] | null => {
    try {
      const parsed: unknown = JSON.parse(text);
      return Array.isArray(parsed) && parsed.every((one) => typeof (one as { set?: unknown } | null)?.set === 'string') ? (parsed as Change[]) : null;
    } catch {
      return null;
    }
  };
  const parsed = read();
  return (
    <Modal opened onClose={close} size="lg" title={t('rollouts.byHand')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <Textarea label={t('rollouts.json')} description={t('rollouts.jsonHint')} value={text} onChange={(event) => setText(event.currentTarget.value)} autosize minRows={8} maxRows={20} spellCheck={false} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} error={parsed === null && t('rollouts.jsonBad')} data-autofocus />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button disabled={parsed === null} onClick={() => { set(parsed ?? []); close(); }}>{t('rollouts.take')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Keep({ changes, label, close }: { changes: Change[]; label: string; close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [shown, setShown] = useState(label);
  const done = useMutation({
    mutationFn: () => keepTemplate(name, shown, changes),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['templates'] });
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('templates.keep')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        done.mutate();
      }}>
        <Stack>
          {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
          <TextInput label={t('rollouts.label')} value={shown} maxLength={60} onChange={(event) => setShown(event.currentTarget.value)} required withAsterisk={false} data-autofocus />
          <TextInput label={t('templates.id')} description={t('templates.idHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} value={name} onChange={(event) => setName(event.currentTarget.value)} required withAsterisk={false} error={name !== '' && !NAME.test(name) && t('fields.idBad')} autoCapitalize="none" spellCheck={false} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" loading={done.isPending} disabled={!NAME.test(name) || shown.trim() === ''}>{t('templates.keepSubmit')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
