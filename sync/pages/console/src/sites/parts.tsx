// How a branch is: its link, its data, its box. Used in the list and on the branch's own page.
import { Badge, Box, Group, Progress, Text, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { ago } from '@shared/format';
import { isShort } from '@shared/ui/alone';
import { FindingCount } from '@shared/ui/bits';
import { useTranslation } from 'react-i18next';
import type { Health, SiteLine } from '../api';

/** Less free than this and recordings are at risk. */
const DISK_FREE_PERCENT_MIN = 10;
const PROCESSES = 3;

export function LinkState({ site }: { site: SiteLine }) {
  const { t, i18n } = useTranslation();
  const never = !site.linked && site.last_heard_ms_ago === null && site.data_age_s === null;
  const heard = site.last_heard_ms_ago === null ? null : t('sites.heard', { ago: ago(site.last_heard_ms_ago, i18n.language) });
  if (site.linked)
    return <Badge variant="light" color="green" tt="none" leftSection={<IconPlugConnected size={13} aria-hidden />}>{t('sites.linked')}</Badge>;
  if (site.drill_apart)
    return <Badge variant="light" color="blue" tt="none" leftSection={<IconPlugConnectedX size={13} aria-hidden />}>{t('sites.drill')}</Badge>;
  return (
    <Box>
      <Badge variant="light" color={never ? 'gray' : 'red'} tt="none" leftSection={<IconPlugConnectedX size={13} aria-hidden />}>{never ? t('sites.never') : t('sites.cut')}</Badge>
      {heard && <Text size="xs" c="dimmed" mt={2}>{heard}</Text>}
    </Box>
  );
}

export function DataAge({ site }: { site: SiteLine }) {
  const { t, i18n } = useTranslation();
  return site.data_age_s === null
    ? <Text size="sm" c="dimmed">{t('sites.unknown')}</Text>
    : <Text size="sm" style={{ whiteSpace: 'nowrap' }}>{ago(site.data_age_s * 1000, i18n.language)}</Text>;
}

/** Never rounds up to whole: 99.9 % is not complete. */
export function wholePercent(part: number): number {
  return part >= 1 ? 100 : Math.min(99, Math.floor(part * 100));
}

export function Completeness({ site }: { site: SiteLine }) {
  const { t } = useTranslation();
  if (site.completeness === null) return <Text size="sm" c="dimmed">{t('sites.unknown')}</Text>;
  const value = wholePercent(site.completeness);
  return (
    <Tooltip label={t('sites.completenessHint')}>
      <Group gap={8} wrap="nowrap">
        <Progress value={value} w={64} size={6} color={value === 100 ? 'green.7' : 'yellow.6'} aria-label={`${t('sites.completeness')} ${site.label}`} />
        <Text size="sm">{value} %</Text>
      </Group>
    </Tooltip>
  );
}

export type Trouble = 'down' | 'disk' | 'trunks' | 'alone';

export function troubles(health: Health): Trouble[] {
  const found: Trouble[] = [];
  if (health.processes_up < PROCESSES) found.push('down');
  if (health.disk_free_percent < DISK_FREE_PERCENT_MIN) found.push('disk');
  if (health.trunks_up < health.trunks) found.push('trunks');
  if (health.alone.some(isShort)) found.push('alone');
  return found;
}

export function BoxHealth({ health }: { health: Health | null }) {
  const { t } = useTranslation();
  if (health === null) return <Text size="sm" c="dimmed">{t('sites.unknown')}</Text>;
  const found = troubles(health);
  const good = found.length === 0;
  const Icon = good ? IconCircleCheck : IconAlertTriangle;
  return (
    <Group gap={6} wrap="nowrap">
      <Icon size={16} aria-hidden color={`var(--mantine-color-${good ? 'green' : 'red'}-text)`} style={{ flex: 'none' }} />
      <Text size="sm">{good ? t('sites.healthy') : found.map((trouble) => t(`sites.${trouble}`)).join(', ')}</Text>
    </Group>
  );
}

export function Findings({ site }: { site: SiteLine }) {
  const { t } = useTranslation();
  const { fatal, warning, repaired } = site.findings;
  if (fatal + warning + repaired === 0) return <Text size="sm" c="dimmed">{t('sites.noFindings')}</Text>;
  return (
    <Group gap={4} wrap="nowrap">
      <FindingCount severity="fatal" count={fatal} />
      <FindingCount severity="warning" count={warning} />
      <FindingCount severity="repaired" count={repaired} />
    </Group>
  );
}
