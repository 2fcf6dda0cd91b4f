// Who changed what of a branch's configuration, newest first: by time, or of one thing; each change with its fields, and a
// way to take it back.
import { Alert, Badge, Button, Card, Group, Modal, Select, Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertCircle, IconArrowBackUp, IconHistory } from '@tabler/icons-react';
import { FieldList, useWho } from '@shared/history/fields';
import { cameLate, named, pathText } from '@shared/history/paths';
import type { Config } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { history, undo, type HistoryEntry } from '../api';
import { described } from './described';
import { Moments } from './moments';

/** Fields of a change that are shown at once. */
const SHOWN = 6;
const KINDS = ['queues', 'agents', 'hours', 'trunks', 'phones', 'numbers', 'flows', 'places'] as const;

export function HistoryList({ site, config, readOnly }: { site: string; config: Config; readOnly: boolean }) {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const under = search.get('under') ?? '';
  const [taking, setTaking] = useState<HistoryEntry | null>(null);
  const found = useInfiniteQuery({
    queryKey: ['site', site, 'history', under],
    queryFn: ({ pageParam }) => history(site, under, pageParam),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => (last.more ? pages.reduce((sum, page) => sum + page.entries.length, 0) : null),
  });
  const entries = found.data?.pages.flatMap((page) => page.entries) ?? [];
  const things = KINDS.flatMap((kind) => Object.keys(config[kind]).map((id) => `${kind}/${id}`));
  const known = ['site', ...things];
  const options = (known.includes(under) || under === '' ? known : [under, ...known]).map((value) => ({ value, label: value === 'site' ? t('history.site') : pathText(t, config, value) }));
  return (
    <Stack>
      <Moments site={site} config={config} />
      <Group>
        <Select
          label={t('history.of')}
          placeholder={t('history.everything')}
          data={options}
          value={under || null}
          onChange={(next) => setSearch(next ? { under: next } : {}, { replace: true })}
          searchable
          clearable
          clearButtonProps={{ 'aria-label': t('history.everything') }}
          w={340}
          maw="100%"
        />
      </Group>
      {found.isError && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      <Card padding={0}>
        {found.isPending ? (
          <Stack p="lg" role="status" aria-label={t('loading')}>{Array.from({ length: 5 }, (_, n) => <Skeleton key={n} height={22} />)}</Stack>
        ) : entries.length === 0 ? (
          <Empty icon={<IconHistory size={24} />} title={t('history.none')}>{t('history.noneText')}</Empty>
        ) : (
          <Stack gap={0} component="ol" className="plain-list">
            {entries.map((entry) => <Line key={`${entry.doc}${entry.seq}`} entry={entry} config={config} take={readOnly || entry.doc === 'org' ? undefined : () => setTaking(entry)} />)}
          </Stack>
        )}
      </Card>
      {found.hasNextPage && <Group justify="center"><Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t('audit.older')}</Button></Group>}
      {taking !== null && <UndoDialog site={site} config={config} entry={taking} close={() => setTaking(null)} />}
    </Stack>
  );
}

function Line({ entry, config, take }: { entry: HistoryEntry; config: Config; take?: () => void }) {
  const { t } = useTranslation();
  const who = useWho(config.site.time_zone);
  const [all, setAll] = useState(false);
  const hidden = entry.fields.length + entry.more - SHOWN;
  return (
    <li className="history-line">
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="md">
        <Stack gap={6} miw={0}>
          <Group gap={8}>
            <Text size="sm" fw={600}>{who.name(entry)}</Text>
            <Text size="sm" c="dimmed">{who.when(entry.written)}</Text>
            <Badge size="sm" variant="light" color={entry.doc === 'local' ? 'blue' : 'gray'} tt="none">{t(`merge.doc.${entry.doc}`)}</Badge>
            {cameLate(entry) && <Badge size="sm" variant="light" color="orange" tt="none">{t('history.arrived', { when: who.when(entry.taken) })}</Badge>}
          </Group>
          <What entry={entry} config={config} />
          <FieldList fields={all ? entry.fields : entry.fields.slice(0, SHOWN)} config={config} overwritten />
          {hidden > 0 && <Button variant="subtle" size="compact-xs" w="fit-content" aria-expanded={all} onClick={() => setAll(!all)}>{all ? t('history.fewer') : t('history.moreFields', { count: hidden })}</Button>}
        </Stack>
        {take && <Button size="xs" variant="default" leftSection={<IconArrowBackUp size={15} aria-hidden />} onClick={take} aria-label={t('history.undoOf', { what: whatText(t, entry, config) })}>{t('history.undo')}</Button>}
      </Group>
    </li>
  );
}

function whatText(t: TFunction, entry: HistoryEntry, config: Config): string {
  const { change } = entry;
  if (change !== null && 'undo' in change) return t('history.undid');
  if (change !== null && 'decide' in change) return t('history.decided');
  if (change !== null && 'apply' in change) return t('history.applied');
  if (change !== null && 'take_back' in change) return t('history.tookBack');
  if (change !== null && 'set' in change) {
    const { of, field } = described(t, config, change);
    return `${of} · ${field}`;
  }
  return [...new Set(entry.fields.map((field) => named(t, config, field.path).of))].slice(0, 3).join(', ');
}

function What({ entry, config }: { entry: HistoryEntry; config: Config }) {
  const { t } = useTranslation();
  return <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>{whatText(t, entry, config)}</Text>;
}

/** Says before what will be given back and what will be left, and does it. */
function UndoDialog({ site, config, entry, close }: { site: string; config: Config; entry: HistoryEntry; close: () => void }) {
  const { t } = useTranslation();
  const back = entry.fields.filter((field) => field.stands).map(({ path, before, after }) => ({ path, before: after, after: before }));
  const left = entry.fields.filter((field) => !field.stands);
  const run = useMutation({
    mutationFn: () => undo(site, entry.doc, entry.seq),
    onSuccess: async ({ undone }) => {
      await queries.invalidateQueries({ queryKey: ['site', site] });
      notifications.show({ color: 'pine', title: t('history.undone'), message: t('history.undoneText', { restored: undone.restored.length, left: undone.left.length }), closeButtonProps: { 'aria-label': t('close') } });
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('history.undoTitle')} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {run.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, run.error)}</Alert>}
        {back.length > 0 ? <><Text size="sm">{t('history.undoText')}</Text><FieldList fields={back} config={config} /></> : <Text size="sm">{t('history.undoNothing')}</Text>}
        {left.length > 0 && (
          <Alert color="yellow" variant="light" icon={<IconAlertCircle size={18} />} title={t('history.undoLeft')}>
            <ul className="plain-list">{left.map((field) => <li key={field.path}>{pathText(t, config, field.path)}</li>)}</ul>
          </Alert>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button loading={run.isPending} disabled={back.length === 0} onClick={() => run.mutate()}>{t('history.undo')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
