// Figures over branches and queues.
import { Alert, Button, Card, Group, SegmentedControl, Select, SimpleGrid, Skeleton, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconAlertCircle, IconChartHistogram } from '@tabler/icons-react';
import { clock, count } from '@shared/format';
import type { Figures } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty, Figure, Heading } from '@shared/ui/bits';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Fragment, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { figures as ask } from '../api';
import { wholePercent } from '../sites/parts';
import { useSites } from '../sites/sites';
import { NOTHING, add, level, lines, meanHandling, meanWait, type Line } from './sums';

const RANGES = {
  h6: { span_s: 6 * 3600, length_s: 900 },
  d1: { span_s: 24 * 3600, length_s: 1800 },
  d7: { span_s: 7 * 86_400, length_s: 6 * 3600 },
  d30: { span_s: 30 * 86_400, length_s: 86_400 },
} as const;
type Range = keyof typeof RANGES;

export default function FiguresPage() {
  const { t } = useTranslation();
  const [range, setRange] = useState<Range>('d1');
  const [branch, setBranch] = useState('');
  const { span_s, length_s } = RANGES[range];
  const sites = useSites();
  const found = useQuery({
    queryKey: ['figures', range],
    queryFn: async () => {
      const now = Date.now();
      const to = Math.ceil(now / (length_s * 1000)) * length_s * 1000;
      const from = to - span_s * 1000;
      return { now, from, to, ...(await ask(from, to, length_s)) };
    },
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });
  const data = found.data;
  const cells = useMemo(() => (data?.figures ?? []).filter((cell) => branch === '' || cell.site === branch), [data, branch]);
  const table = useMemo(() => lines(cells), [cells]);
  const total = table.reduce((sum, line) => add(sum, line.figures), NOTHING);
  const labels = new Map((sites.data ?? []).map((site) => [site.site, site.label]));
  return (
    <>
      <Heading title={t('figures.title')} note={t('figures.note')}>
        <Group gap="sm">
          <Select
            aria-label={t('figures.branch')}
            value={branch}
            onChange={(next) => setBranch(next ?? '')}
            allowDeselect={false}
            data={[{ value: '', label: t('figures.all') }, ...(sites.data ?? []).map((site) => ({ value: site.site, label: site.label }))]}
          />
          <SegmentedControl aria-label={t('figures.range')} value={range} onChange={(next) => setRange(next as Range)} data={(Object.keys(RANGES) as Range[]).map((value) => ({ value, label: t(`figures.ranges.${value}`) }))} />
        </Group>
      </Heading>
      {found.isError && (
        <Alert color="red" variant="light" mb="lg" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      {found.isPending || sites.isPending ? (
        <Stack role="status" aria-label={t('loading')}><Skeleton height={90} radius="lg" /><Skeleton height={320} radius="lg" /></Stack>
      ) : table.length === 0 ? (
        !found.isError && <Card><Empty icon={<IconChartHistogram size={24} />} title={t('figures.none')}>{t('figures.noneText')}</Empty></Card>
      ) : (
        <Stack gap="lg">
          <Totals figures={total} />
          <Card padding={0}><Lines lines={table} labels={labels} total={total} completeness={data?.completeness ?? {}} /></Card>
        </Stack>
      )}
    </>
  );
}

const share = (value: number | null) => (value === null ? '–' : `${Math.round(value * 100)} %`);
const seconds = (value: number | null) => (value === null ? '–' : clock(value * 1000));

function Totals({ figures }: { figures: Figures }) {
  const { t, i18n } = useTranslation();
  const n = (value: number) => count(value, i18n.language);
  const gone = figures.offered > 0 ? share(figures.abandoned / figures.offered) : '–';
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }}>
      <Card padding="md" className="lead-figure"><Figure label={t('figures.offered')} value={n(figures.offered)} /></Card>
      <Card padding="md"><Figure label={t('figures.level')} value={share(level(figures))} /></Card>
      <Card padding="md"><Figure label={t('figures.abandoned')} value={gone} /></Card>
      <Card padding="md"><Figure label={t('figures.asa')} value={seconds(meanWait(figures))} /></Card>
      <Card padding="md"><Figure label={t('figures.aht')} value={seconds(meanHandling(figures))} /></Card>
    </SimpleGrid>
  );
}

function Lines({ lines, labels, total, completeness }: { lines: readonly Line[]; labels: ReadonlyMap<string, string>; total: Figures; completeness: Readonly<Record<string, number | null>> }) {
  const { t, i18n } = useTranslation();
  const n = (value: number) => count(value, i18n.language);
  const heads: [string, string?][] = [
    [t('figures.offered')], [t('figures.answered')], [t('figures.abandoned')], [t('figures.overflowed')],
    [t('figures.level'), t('figures.levelHint')], [t('figures.asa'), t('figures.asaHint')], [t('figures.aht'), t('figures.ahtHint')],
  ];
  const cells = (f: Figures) => [n(f.offered), n(f.answered), n(f.abandoned), n(f.overflowed), share(level(f)), seconds(meanWait(f)), seconds(meanHandling(f))];
  const sites = [...new Set(lines.map((line) => line.site))];
  return (
    <Table.ScrollContainer minWidth={860} type="native" tabIndex={0}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('figures.queue')}</Table.Th>
            {heads.map(([head, hint]) => (
              <Table.Th key={head} ta="right">{hint ? <Tooltip label={hint}><span tabIndex={0} style={{ borderBottom: '1px dotted' }}>{head}</span></Tooltip> : head}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sites.map((site) => {
            const own = lines.filter((line) => line.site === site);
            const sum = own.reduce((all, line) => add(all, line.figures), NOTHING);
            return (
              <Fragment key={site}>
                <Table.Tr className="day-row">
                  <Table.Th scope="rowgroup">
                    {labels.get(site) ?? site}
                    <Whole part={completeness[site] ?? null} />
                  </Table.Th>
                  {cells(sum).map((cell, index) => <Table.Td key={index} ta="right" fw={600}>{cell}</Table.Td>)}
                </Table.Tr>
                {own.map((line) => (
                  <Table.Tr key={line.queue ?? ''}>
                    <Table.Th scope="row" fw={400} pl="xl">{line.queue ?? <Tooltip label={t('figures.foldedHint')} multiline maw={280}><span tabIndex={0}>{t('figures.folded')}</span></Tooltip>}</Table.Th>
                    {cells(line.figures).map((cell, index) => <Table.Td key={index} ta="right">{cell}</Table.Td>)}
                  </Table.Tr>
                ))}
              </Fragment>
            );
          })}
        </Table.Tbody>
        {sites.length > 1 && (
          <Table.Tfoot>
            <Table.Tr><Table.Th scope="row">{t('figures.total')}</Table.Th>{cells(total).map((cell, index) => <Table.Th key={index} ta="right">{cell}</Table.Th>)}</Table.Tr>
          </Table.Tfoot>
        )}
      </Table>
    </Table.ScrollContainer>
  );
}

/** How much of what a branch has closed is here. All of it needs no words. */
function Whole({ part }: { part: number | null }) {
  const { t } = useTranslation();
  if (part === null || part >= 1) return null;
  return <Tooltip label={t('sites.completenessHint')}><Text span size="xs" fw={500} ml={8} style={{ whiteSpace: 'nowrap', display: 'inline-block' }} c="var(--mantine-color-yellow-text)" tabIndex={0}>{t('figures.complete', { percent: wholePercent(part) })}</Text></Tooltip>;
}
