// Of each branch in the window: how much is here, how old it is, and how late it came.
import { Anchor, Button, Card, Group, Progress, SimpleGrid, Text, Title } from '@mantine/core';
import { ago, clock, dayAndTime } from '@shared/format';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { TrendSite } from '../api';
import { wholePercent } from '../sites/parts';
import { part, worstFirst } from './series';

const SHOWN = 6;

export function Branches({ sites, labels }: { sites: readonly TrendSite[]; labels: ReadonlyMap<string, string> }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const ordered = worstFirst(sites);
  return (
    <section aria-label={t('trends.branches')}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">{t('trends.branches')}</Title>
        {ordered.length > SHOWN && <Button variant="default" size="xs" onClick={() => setAll(!all)} aria-expanded={all}>{all ? t('trends.fewer') : t('trends.allBranches', { count: ordered.length })}</Button>}
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }}>
        {(all ? ordered : ordered.slice(0, SHOWN)).map((site) => <Branch key={site.site} site={site} label={labels.get(site.site) ?? site.site} />)}
      </SimpleGrid>
    </section>
  );
}

function Branch({ site, label }: { site: TrendSite; label: string }) {
  const { t, i18n } = useTranslation();
  const here = part(site);
  const percent = here === null ? null : wholePercent(here);
  const missing = site.expected - site.arrived;
  const notes = [
    missing > 0 ? t(site.linked ? 'trends.missingLate' : 'trends.missingIsolated', { count: missing }) : null,
    site.isolated > 0 ? t('trends.cameIsolated', { count: site.isolated }) : null,
    site.late > 0 ? t('trends.cameLate', { count: site.late }) : null,
    site.lateness_ms_max > 0 ? t('trends.latest', { time: clock(site.lateness_ms_max) }) : null,
  ].filter((note) => note !== null);
  return (
    <Card padding="md">
      <Group justify="space-between" wrap="nowrap" mb={6}>
        <Anchor component={Link} to={`/sites/${site.site}`} fw={600} c="inherit" truncate>{label}</Anchor>
        <Text size="sm" c={site.linked ? 'dimmed' : 'var(--mantine-color-red-text)'} style={{ whiteSpace: 'nowrap' }}>{t(site.linked ? 'sites.linked' : 'sites.cut')}</Text>
      </Group>
      <Group gap={8} wrap="nowrap">
        <Progress value={percent ?? 0} style={{ flex: 1 }} size={6} color={percent === 100 ? 'green.7' : 'yellow.6'} aria-label={`${t('sites.completeness')} ${label}`} />
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>{percent === null || !site.known ? t('sites.unknown') : `${percent} %`}</Text>
      </Group>
      <Text size="xs" c="dimmed" mt={6}>
        {site.data_age_s === null ? t('trends.noData') : t('trends.age', { ago: ago(site.data_age_s * 1000, i18n.language) })}
        {site.known_until !== null && ` · ${t('trends.until', { time: dayAndTime(site.known_until, i18n.language) })}`}
      </Text>
      {notes.length > 0 && <Text size="xs" mt={2}>{notes.join(' · ')}</Text>}
    </Card>
  );
}
