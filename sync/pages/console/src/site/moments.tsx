// Another moment: how the configuration was then, and what has changed since.
import { Alert, Button, Card, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { IconAlertCircle, IconClockHour4, IconGitCompare } from '@tabler/icons-react';
import { FieldList, useWho } from '@shared/history/fields';
import type { Config } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { diff } from '../api';

/** `2026-11-29T10:30` of this browser's clock; null: no time. */
function moment(text: string): number | null {
  const at = text === '' ? Number.NaN : new Date(text).getTime();
  return Number.isNaN(at) ? null : at;
}

export function Moments({ site, config }: { site: string; config: Config }) {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const [then, until] = [moment(from), moment(to)];
  const compared = Number(search.get('from')) || null;
  const end = Number(search.get('to')) || null;
  return (
    <Card component="section" aria-label={t('moments.title')}>
      <Group align="flex-end" gap="sm">
        <TextInput type="datetime-local" label={t('moments.from')} value={from} onChange={(e) => setFrom(e.currentTarget.value)} w={220} />
        <TextInput type="datetime-local" label={t('moments.to')} description={undefined} value={to} onChange={(e) => setTo(e.currentTarget.value)} w={220} />
        <Button variant="light" leftSection={<IconGitCompare size={16} aria-hidden />} disabled={then === null} onClick={() => setSearch({ ...(then === null ? {} : { from: String(then) }), ...(until === null ? {} : { to: String(until) }) })}>{t('moments.compare')}</Button>
        <Button component={Link} to={then === null ? '#' : `/sites/${site}/queues?at=${then}`} variant="default" leftSection={<IconClockHour4 size={16} aria-hidden />} aria-disabled={then === null} data-disabled={then === null || undefined} onClick={(event) => then === null && event.preventDefault()}>{t('moments.look')}</Button>
      </Group>
      {compared !== null && <Compared site={site} config={config} from={compared} to={end} />}
    </Card>
  );
}

function Compared({ site, config, from, to }: { site: string; config: Config; from: number; to: number | null }) {
  const { t } = useTranslation();
  const { when } = useWho(config.site.time_zone);
  const found = useQuery({ queryKey: ['site', site, 'diff', from, to], queryFn: () => diff(site, from, to) });
  return (
    <Stack gap="sm" mt="lg" role="region" aria-label={t('moments.changed')}>
      <Text size="sm" fw={600}>{to === null ? t('moments.since', { from: when(from) }) : t('moments.between', { from: when(from), to: when(to) })}</Text>
      {found.isPending && <Skeleton height={40} role="status" aria-label={t('loading')} />}
      {found.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>{refusalText(t, found.error)}</Alert>}
      {found.data && (found.data.differences.length === 0 ? <Text size="sm">{t('moments.same')}</Text> : <FieldList fields={found.data.differences} config={config} />)}
    </Stack>
  );
}
