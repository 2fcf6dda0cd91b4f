// How figures went over time, across branches and queues; how much of them is here, and what came later.
import { ActionIcon, Alert, Box, Button, Card, Group, MultiSelect, SegmentedControl, Select, SimpleGrid, Skeleton, Stack, Title } from '@mantine/core';
import { IconAlertCircle, IconChartLine, IconChevronLeft, IconChevronRight, IconFileSpreadsheet, IconTable } from '@tabler/icons-react';
import { save, table } from '@shared/csv';
import { ago, clock, count, dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Figure, Heading } from '@shared/ui/bits';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { trends as ask, type Bin, type TrendSite } from '../api';
import { level, meanWait } from '../figures/sums';
import { wholePercent } from '../sites/parts';
import { useSites } from '../sites/sites';
import { Branches } from './branches';
import { Changed, SINCE_DAYS, type SinceDays } from './changed';
import Chart from './chart';
import { APARTS, APART_MAX, type Place, QUEUES_MAX, STEPS, type Step, WINDOWS, type Window, fits, range, read, shift, write } from './place';
import { type Show, SHOWS, linesOf, oldest, part, totalOf } from './series';
import { Rows, rows } from './table';

const STEP_NAMES = { 900: 'quarter', 3600: 'hour', 86400: 'day' } as const satisfies Record<Step, string>;

export default function TrendsPage() {
  const { t, i18n } = useTranslation();
  const [params, setParams] = useSearchParams();
  const place = read(params);
  const since = SINCE_DAYS.find((days) => days === params.get('since')) ?? '1';
  const go = (over: Partial<Place>, days: SinceDays = since) => {
    const next = write({ ...place, ...over });
    if (days !== '1') next.set('since', days);
    setParams(next, { replace: true });
  };
  const sites = useSites();
  const branches = place.sites.length > 0 ? place.sites.length : (sites.data ?? []).length;
  // As few as a person can tell apart; otherwise by queue.
  const apart = place.apart === 'sites' && branches <= APART_MAX ? 'sites' : 'queues';
  const found = useQuery({
    queryKey: ['trends', place.window, place.step, place.to, place.sites.join(), place.queues.join(), apart],
    queryFn: async () => {
      const { from, to, offset_s } = range(place, Date.now());
      return { from, to, ...(await ask({ from, to, length_s: place.step, offset_s, sites: place.sites, queues: place.queues, apart })) };
    },
    enabled: sites.isSuccess,
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });
  const data = found.data;
  const labels = new Map((sites.data ?? []).map((site) => [site.site, site.label]));
  const queues = [...new Set([...(data?.sites ?? []).flatMap((site) => site.queues), ...place.queues])].sort();
  const lines = data ? linesOf(data, labels) : [];
  const window = data ? { from: dayAndTime(data.from, i18n.language), to: dayAndTime(data.to, i18n.language) } : { from: '', to: '' };
  const label = t('trends.chartLabel', { show: t(`trends.show.${place.show}`), ...window });
  return (
    <>
      <Heading title={t('trends.title')} note={t('trends.note')}>
        <Group gap="sm">
          <Button variant="default" leftSection={<IconTable size={16} />} aria-pressed={place.table} onClick={() => go({ table: !place.table })}>{t('trends.table')}</Button>
          <Button variant="default" leftSection={<IconFileSpreadsheet size={16} />} disabled={!data} onClick={() => data && save(table(rows(lines, data.length_s, data.now)), `trends-${new Date(data.from).toISOString().slice(0, 10)}.csv`)}>{t('trends.csv')}</Button>
        </Group>
      </Heading>
      <Card mb="lg" padding="md">
        <SimpleGrid cols={{ base: 1, sm: 2 }} mb="md">
          <MultiSelect label={t('trends.sites')} placeholder={place.sites.length === 0 ? t('figures.all') : undefined} searchable clearable limit={100} hidePickedOptions clearButtonProps={{ 'aria-label': t('trends.clear') }} value={place.sites} onChange={(next) => go({ sites: next })} data={(sites.data ?? []).map((site) => ({ value: site.site, label: site.label }))} />
          <MultiSelect label={t('trends.queues')} placeholder={place.queues.length === 0 ? t('trends.together') : undefined} searchable clearable limit={100} hidePickedOptions clearButtonProps={{ 'aria-label': t('trends.clear') }} maxValues={QUEUES_MAX} value={place.queues} onChange={(next) => go({ queues: next })} data={queues} />
        </SimpleGrid>
        <Group gap="sm" align="flex-end">
          <Select label={t('figures.range')} allowDeselect={false} w={150} value={place.window} onChange={(next) => go({ window: (next ?? 'h24') as Window, step: WINDOWS[(next ?? 'h24') as Window].step })} data={(Object.keys(WINDOWS) as Window[]).map((value) => ({ value, label: t(`trends.windows.${value}`) }))} />
          <Select label={t('trends.step')} allowDeselect={false} w={150} value={String(place.step)} onChange={(next) => go({ step: Number(next) as Step })} data={STEPS.filter((step) => fits(place.window, step)).map((step) => ({ value: String(step), label: t(`trends.steps.${STEP_NAMES[step]}`) }))} />
          <Select label={t('trends.apart')} allowDeselect={false} w={150} value={apart} onChange={(next) => go({ apart: next === 'sites' ? 'sites' : 'queues' })} data={APARTS.map((value) => ({ value, label: t(`trends.aparts.${value}`), disabled: value === 'sites' && branches > APART_MAX }))} />
          <Group gap={4} wrap="nowrap">
            <ActionIcon variant="default" size={36} aria-label={t('trends.earlier')} onClick={() => go(shift(place, Date.now(), -1))}><IconChevronLeft size={18} /></ActionIcon>
            <ActionIcon variant="default" size={36} aria-label={t('trends.later')} disabled={place.to === null} onClick={() => go(shift(place, Date.now(), 1))}><IconChevronRight size={18} /></ActionIcon>
            {place.to !== null && <Button variant="default" onClick={() => go({ to: null })}>{t('trends.now')}</Button>}
          </Group>
        </Group>
      </Card>
      {found.isError && (
        <Alert color="red" variant="light" mb="lg" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      {found.isPending || sites.isPending ? (
        <Stack role="status" aria-label={t('loading')}><Skeleton height={90} radius="lg" /><Skeleton height={320} radius="lg" /></Stack>
      ) : data && data.sites.length > 0 ? (
        <Stack gap="lg">
          <Totals total={totalOf(data.bins)} sites={data.sites} />
          <Card>
            <Group justify="space-between" mb="sm">
              <Title order={2} size="h5">{window.from} – {window.to}</Title>
              <Box maw="100%" style={{ overflowX: 'auto' }}>
                <SegmentedControl aria-label={t('trends.shown')} size="xs" value={place.show} onChange={(next) => go({ show: next as Show })} data={SHOWS.map((value) => ({ value, label: t(`trends.show.${value}`) }))} />
              </Box>
            </Group>
            <Chart lines={lines} show={place.show} length_s={data.length_s} now={data.now} label={label} />
          </Card>
          {place.table && <Card padding={0}><Rows lines={lines} length_s={data.length_s} now={data.now} label={label} /></Card>}
          <Branches sites={data.sites} labels={labels} />
          <Changed days={since} setDays={(days) => go({}, days)} sites={place.sites} labels={labels} />
        </Stack>
      ) : (
        !found.isError && <Card><Empty icon={<IconChartLine size={24} />} title={t('trends.none')}>{t('trends.noneText')}</Empty></Card>
      )}
    </>
  );
}

/** The window's sums; beneath each how much of it is here, and how old. */
function Totals({ total, sites }: { total: Bin; sites: readonly TrendSite[] }) {
  const { t, i18n } = useTranslation();
  const here = part(total);
  const age = oldest(sites);
  const complete = here === null ? t('sites.unknown') : t('figures.complete', { percent: wholePercent(here) });
  const note = `${complete} · ${age === null ? t('trends.noData') : ago(age * 1000, i18n.language)}`;
  const share = level(total);
  const wait = meanWait(total);
  const values: [Show, string][] = [
    ['offered', count(total.offered, i18n.language)],
    ['answered', count(total.answered, i18n.language)],
    ['abandoned', count(total.abandoned, i18n.language)],
    ['level', share === null ? '–' : `${Math.round(share * 100)} %`],
    ['wait', wait === null ? '–' : clock(wait * 1000)],
  ];
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }}>
      {values.map(([show, value]) => <Card key={show} padding="md"><Figure label={t(`trends.show.${show}`)} value={total.arrived === 0 && total.offered === 0 ? '–' : value} note={note} /></Card>)}
    </SimpleGrid>
  );
}
