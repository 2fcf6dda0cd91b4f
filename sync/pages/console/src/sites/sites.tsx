// All branches at a glance.
import { Alert, Anchor, Button, Card, Group, SegmentedControl, Select, SimpleGrid, Skeleton, Stack, Table, Text, TextInput } from '@mantine/core';
import { useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { IconAlertCircle, IconBuildingStore, IconSearch } from '@tabler/icons-react';
import { refusalText } from '@shared/text/words';
import { Empty, Figure, Heading } from '@shared/ui/bits';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { sites as ask, type SiteLine } from '../api';
import { BoxHealth, Completeness, DataAge, Findings, LinkState } from './parts';
import { Tiles } from './tiles';

/** Beyond so many a field to find one helps. */
const SEARCH_FROM = 8;

export function useSites() {
  return useQuery({ queryKey: ['sites'], queryFn: ask, refetchInterval: 10_000 });
}

export function Sites() {
  const { t } = useTranslation();
  const found = useSites();
  const [wanted, setWanted] = useState('');
  const narrow = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false });
  const [view, setView] = useLocalStorage<'table' | 'tiles' | null>({ key: 'branchline.sites', defaultValue: null, getInitialValueInEffect: false });
  const shape = view ?? (narrow ? 'tiles' : 'table');
  const all = found.data ?? [];
  const tags = [...new Set(all.flatMap((site) => site.tags))].sort();
  const [tag, setTag] = useState<string | null>(null);
  const shown = all.filter((site) => `${site.label} ${site.site}`.toLowerCase().includes(wanted.trim().toLowerCase()) && (tag === null || site.tags.includes(tag)));
  return (
    <>
      <Heading title={t('sites.title')} note={t('sites.note')}>
        <Group gap="sm">
        {all.length > SEARCH_FROM && (
          <TextInput leftSection={<IconSearch size={16} />} aria-label={t('sites.search')} placeholder={t('sites.search')} value={wanted} onChange={(e) => setWanted(e.currentTarget.value)} />
        )}
        {tags.length > 0 && <Select aria-label={t('tags.filter')} placeholder={t('tags.all')} data={tags} value={tag} onChange={setTag} searchable clearable clearButtonProps={{ 'aria-label': t('tags.all') }} w={170} />}
        {all.length > 0 && (
          <SegmentedControl aria-label={t('sites.view')} value={shape} onChange={(next) => setView(next === 'tiles' ? 'tiles' : 'table')} data={[{ value: 'table', label: t('sites.asTable') }, { value: 'tiles', label: t('sites.asTiles') }]} />
        )}
        </Group>
      </Heading>
      {found.isError && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} mb="md">
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      {found.isPending ? (
        <Card><Stack role="status" aria-label={t('loading')}>{Array.from({ length: 5 }, (_, n) => <Skeleton key={n} height={26} />)}</Stack></Card>
      ) : all.length === 0 ? (
        !found.isError && <Card><Empty icon={<IconBuildingStore size={24} />} title={t('sites.none')}>{t('sites.noneText')}</Empty></Card>
      ) : (
        <Stack gap="lg">
          <Totals sites={all} />
          {shown.length === 0 ? (
            <Card><Text c="dimmed" ta="center">{t('sites.nothingFound')}</Text></Card>
          ) : shape === 'tiles' ? (
            <Tiles sites={shown} />
          ) : (
            <Card padding={0}><List sites={shown} /></Card>
          )}
        </Stack>
      )}
    </>
  );
}

function Totals({ sites }: { sites: readonly SiteLine[] }) {
  const { t } = useTranslation();
  const linked = sites.filter((site) => site.linked).length;
  const findings = sites.filter((site) => site.findings.fatal + site.findings.warning > 0).length;
  const incomplete = sites.filter((site) => site.completeness !== null && site.completeness < 1).length;
  const of = (part: number) => t('sites.of', { part, all: sites.length });
  return (
    <SimpleGrid cols={{ base: 1, xs: 3 }} spacing={{ base: 'xs', xs: 'md' }}>
      <Card padding="md"><Figure label={t('sites.allLinked')} value={of(linked)} color={linked < sites.length ? 'var(--mantine-color-red-text)' : undefined} /></Card>
      <Card padding="md"><Figure label={t('sites.incomplete')} value={incomplete} /></Card>
      <Card padding="md"><Figure label={t('sites.withFindings')} value={findings} /></Card>
    </SimpleGrid>
  );
}

function List({ sites }: { sites: readonly SiteLine[] }) {
  const { t } = useTranslation();
  const go = useNavigate();
  return (
    <Table.ScrollContainer minWidth={760} type="native" tabIndex={0}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('sites.branch')}</Table.Th>
            <Table.Th>{t('sites.link')}</Table.Th>
            <Table.Th>{t('sites.age')}</Table.Th>
            <Table.Th>{t('sites.completeness')}</Table.Th>
            <Table.Th>{t('sites.health')}</Table.Th>
            <Table.Th>{t('sites.software')}</Table.Th>
            <Table.Th>{t('sites.findings')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sites.map((site) => (
            <Table.Tr key={site.site} style={{ cursor: 'pointer' }} onClick={() => void go(`/sites/${site.site}`)}>
              <Table.Td>
                <Anchor component={Link} to={`/sites/${site.site}`} fw={600} size="sm" c="inherit" onClick={(e) => e.stopPropagation()}>{site.label}</Anchor>
                <Text size="xs" c="dimmed">{[site.site, ...site.tags].join(' · ')}</Text>
              </Table.Td>
              <Table.Td><LinkState site={site} /></Table.Td>
              <Table.Td><DataAge site={site} /></Table.Td>
              <Table.Td><Completeness site={site} /></Table.Td>
              <Table.Td><BoxHealth health={site.health} /></Table.Td>
              <Table.Td>{site.software ?? <Text size="sm" c="dimmed">–</Text>}</Table.Td>
              <Table.Td><Findings site={site} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
