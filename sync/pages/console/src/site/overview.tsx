// How a branch and its box are.
import { Alert, Button, Card, SimpleGrid, Stack, Switch, Table, TagsInput, Text, Title } from '@mantine/core';
import { IconAlertCircle, IconServerOff } from '@tabler/icons-react';
import { ago, dayAndTime } from '@shared/format';
import { useApply, useFindings, type Place } from '@shared/edit/editing';
import { refusalText } from '@shared/text/words';
import { AloneText } from '@shared/ui/alone';
import { Empty, Figure } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { SiteLine } from '../api';
import { setTags } from '../rollouts/api';
import { BoxHealth, wholePercent } from '../sites/parts';
import { SiteRecording } from './recording';

export function Overview({ line, place, enrol, groups }: { line: SiteLine | undefined; place: Place; enrol?: () => void; groups: boolean }) {
  const { t, i18n } = useTranslation();
  const { config } = place;
  const { apply, busy, error } = useApply(place);
  const notes = useFindings(place);
  const health = line?.health ?? null;
  const complete = line?.completeness ?? null;
  const rows: [string, ReactNode][] = [
    [t('queue.title'), Object.keys(config.queues).length],
    [t('agent.title'), Object.keys(config.agents).length],
    [t('site.zone'), config.site.time_zone],
    [t('site.emergency'), config.site.emergency.join(', ') || t('none')],
    [t('site.outward'), config.site.outward === null ? t('none') : (config.trunks[config.site.outward]?.label ?? config.site.outward)],
  ];
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        <Card padding="md"><Figure label={t('sites.age')} value={line && line.data_age_s !== null ? ago(line.data_age_s * 1000, i18n.language) : '–'} /></Card>
        <Card padding="md"><Figure label={t('sites.completeness')} value={complete === null ? '–' : `${wholePercent(complete)} %`} color={complete !== null && complete < 1 ? 'var(--mantine-color-yellow-text)' : undefined} /></Card>
        <Card padding="md"><Figure label={t('sites.software')} value={line?.software ?? '–'} /></Card>
        <Card padding="md"><Figure label={t('site.phones')} value={health?.phones_registered ?? '–'} /></Card>
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Card>
          <Title order={2} size="h5" mb="sm">{t('site.box')}</Title>
          {health === null ? (
            <Empty icon={<IconServerOff size={24} />} title={t('site.noHealth')} action={enrol && <Button variant="light" onClick={enrol}>{t('site.enrol')}</Button>}>{t('site.noHealthText')}</Empty>
          ) : (
            <Facts rows={[
              [t('site.health'), <BoxHealth key="health" health={health} />],
              [t('alone.title'), <AloneText key="alone" alone={health.alone} />],
              [t('site.disk'), `${health.disk_free_percent} %`],
              [t('site.trunksUp'), t('sites.of', { part: health.trunks_up, all: health.trunks })],
              [t('site.restarts'), health.restarts],
              [t('site.slot'), health.slot === 0 ? 'A' : 'B'],
              [t('site.lastData'), dayAndTime(health.at, i18n.language)],
            ]} />
          )}
        </Card>
        <Card>
          <Title order={2} size="h5" mb="sm">{t('site.about')}</Title>
          <Facts rows={rows} />
          <Switch
            mt="md" label={t('queue.closed')} description={t('site.closedHint')} checked={config.site.closed} disabled={place.readOnly || busy}
            onChange={(event) => void apply([{ set: 'site_closed', closed: event.currentTarget.checked }])}
          />
          {notes('site/closed')}
          {line && <Tags key={line.site} line={line} readOnly={!groups} />}
          {error !== null && <Alert mt="xs" color="red" variant="light" icon={<IconAlertCircle size={18} />}>{refusalText(t, error)}</Alert>}
        </Card>
      </SimpleGrid>
      <SiteRecording place={place} />
    </Stack>
  );
}

function Tags({ line, readOnly }: { line: SiteLine; readOnly: boolean }) {
  const { t } = useTranslation();
  const set = useMutation({ mutationFn: (tags: string[]) => setTags(line.site, tags), onSettled: () => queries.invalidateQueries({ queryKey: ['sites'] }) });
  return (
    <>
      <TagsInput mt="md" label={t('tags.name')} description={t('tags.hint')} value={set.isPending ? set.variables : line.tags} onChange={(tags) => set.mutate(tags.map((tag) => tag.trim()))} readOnly={readOnly} disabled={set.isPending} maxTags={20} maxLength={40} />
      {set.isError && <Alert mt="xs" color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, set.error)}</Alert>}
    </>
  );
}

function Facts({ rows }: { rows: readonly [string, ReactNode][] }) {
  return (
    <Table withRowBorders horizontalSpacing={0} verticalSpacing={8}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400} w="45%"><Text size="sm" c="dimmed">{name}</Text></Table.Th>
            <Table.Td>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
