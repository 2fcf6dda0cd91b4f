// What left this box, for whoever does not take our word for it: how much of what, who has witnessed the list, and each
// line word for word.
import '@mantine/core/styles/Table.css';
import '@mantine/core/styles/FloatingIndicator.css';
import '@mantine/core/styles/SegmentedControl.css';
import '@mantine/core/styles/Skeleton.css';
import { Alert, Box, Button, Card, Code, Group, Progress, SegmentedControl, SimpleGrid, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertCircle, IconDownload, IconEyeCheck, IconEyeOff, IconFileSearch } from '@tabler/icons-react';
import { count, dayAndTime, size } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { Queries } from '@shared/ui/queries';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Fragment, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Me } from '../api';
import { EGRESS_FILE, egressLines, egressSums, type EgressClass, type EgressLine, type EgressSums } from './api';

const DAY_MS = 86_400_000;
const SPANS = { today: 0, week: 6, month: 29, all: 89 } as const;
type Span = keyof typeof SPANS;
const COLOR: Record<EgressClass, string> = { metric: 'blue', health: 'teal', notice: 'orange', configuration: 'violet', 'overflow signal': 'pink', 'overflow media': 'red', handshake: 'gray', checkpoint: 'cyan' };

export default function EgressPlace({ me }: { me: Me }) {
  return <Queries><Egress me={me} /></Queries>;
}

/** From the midnight that began the span, by this browser's clock, to the end of today. */
function boundsOf(span: Span): [number, number] {
  const midnight = new Date().setHours(0, 0, 0, 0);
  return [midnight - SPANS[span] * DAY_MS, midnight + DAY_MS];
}

function Egress({ me }: { me: Me }) {
  const { t } = useTranslation();
  const [span, setSpan] = useState<Span>('today');
  const [from, until] = useMemo(() => boundsOf(span), [span]);
  const sums = useQuery({ queryKey: ['egress', from, until], queryFn: () => egressSums(from, until), refetchInterval: 15_000 });
  const lines = useInfiniteQuery({
    queryKey: ['egress-lines', from, until],
    queryFn: ({ pageParam }) => egressLines(from, until, pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.at(-1)?.line || null,
  });
  const failed = [sums, lines].find((found) => found.isError);
  return (
    <Stack gap="lg">
      <Heading title={t('egress.title')} note={t('egress.note')}>
        <Button component="a" href={EGRESS_FILE} download="egress.jsonl" variant="default" leftSection={<IconDownload size={18} />}>{t('egress.file')}</Button>
      </Heading>
      <SegmentedControl value={span} onChange={(next) => setSpan(next as Span)} aria-label={t('egress.span')} data={(Object.keys(SPANS) as Span[]).map((value) => ({ value, label: t(`egress.spans.${value}`) }))} style={{ alignSelf: 'start' }} />
      {failed !== undefined && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, failed.error)}<Button size="xs" variant="default" onClick={() => void failed.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      {sums.isPending ? (
        <Stack gap="sm" role="status" aria-label={t('loading')}>{Array.from({ length: 3 }, (_, n) => <Skeleton key={n} height={60} />)}</Stack>
      ) : sums.data !== undefined && (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Sums sums={sums.data} />
          <Witnesses sums={sums.data} zone={me.site.time_zone} />
        </SimpleGrid>
      )}
      <Lines lines={lines.data?.pages.flat() ?? []} zone={me.site.time_zone} more={lines.hasNextPage ? () => void lines.fetchNextPage() : null} waits={lines.isFetching} />
    </Stack>
  );
}

function Sums({ sums }: { sums: EgressSums }) {
  const { t, i18n } = useTranslation();
  const whole = sums.classes.reduce((sum, [, , bytes]) => sum + bytes, 0);
  return (
    <Card component="section" aria-labelledby="egress-sums">
      <Title order={2} size="h4" id="egress-sums" mb="xs">{t('egress.sums', { size: size(whole, i18n.language) })}</Title>
      {sums.classes.length === 0 ? <Text size="sm" c="dimmed">{t('egress.nothing')}</Text> : (
        <>
          <Progress.Root size="xl" mb="md" aria-hidden>
            {sums.classes.map(([name, , bytes]) => <Progress.Section key={name} value={(bytes / Math.max(whole, 1)) * 100} color={COLOR[name]} />)}
          </Progress.Root>
          <Stack gap={6} component="ul" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
            {sums.classes.map(([name, lines, bytes]) => (
              <Group key={name} component="li" justify="space-between" wrap="nowrap" align="baseline">
                <Group gap={8} wrap="nowrap" align="baseline">
                  <Mark of={name} />
                  <Box><Text size="sm" fw={600}>{t(`egress.class.${name}.name`)}</Text><Text size="xs" c="dimmed">{t(`egress.class.${name}.what`)}</Text></Box>
                </Group>
                <Text size="sm" ta="right" style={{ whiteSpace: 'nowrap' }}>{t('egress.lines', { count: lines, n: count(lines, i18n.language) })} · {size(bytes, i18n.language)}</Text>
              </Group>
            ))}
          </Stack>
        </>
      )}
    </Card>
  );
}

const Mark = ({ of }: { of: EgressClass }) => <Box w={10} h={10} style={{ borderRadius: 3, flex: 'none', background: `var(--mantine-color-${COLOR[of]}-filled)` }} aria-hidden />;

function Witnesses({ sums, zone }: { sums: EgressSums; zone: string }) {
  const { t, i18n } = useTranslation();
  const seen = [['signed', sums.signed, true], ['cloud', sums.cloud, true], ['customer', sums.customer, sums.has_customer]] as const;
  return (
    <Card component="section" aria-labelledby="egress-witnesses">
      <Title order={2} size="h4" id="egress-witnesses">{t('egress.witnesses')}</Title>
      <Text size="sm" c="dimmed" mb="md">{t('egress.witnessesNote', { n: count(sums.lines, i18n.language) })}</Text>
      <Stack gap="sm" component="ul" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
        {seen.map(([who, has, named]) => (
          <Group key={who} component="li" gap="sm" wrap="nowrap" align="start">
            {has === null ? <IconEyeOff size={20} aria-hidden color="var(--mantine-color-dimmed)" /> : <IconEyeCheck size={20} aria-hidden color="var(--mantine-color-green-text)" />}
            <Box>
              <Text size="sm" fw={600}>{t(`egress.who.${who}`)}</Text>
              <Text size="sm">{has !== null ? t('egress.upTo', { n: count(has.line + 1, i18n.language), time: dayAndTime(has.at, i18n.language, zone) }) : t(named ? 'egress.notYet' : 'egress.noCustomer')}</Text>
            </Box>
          </Group>
        ))}
      </Stack>
      <Text size="sm" mt="md">{t('egress.verify')} <Code>egress.py egress.jsonl --ca ca.pem</Code></Text>
    </Card>
  );
}

function Lines({ lines, zone, more, waits }: { lines: readonly EgressLine[]; zone: string; more: (() => void) | null; waits: boolean }) {
  const { t, i18n } = useTranslation();
  const [open, setOpen] = useState<number | null>(null);
  if (lines.length === 0 && waits) return <Skeleton height={200} role="status" aria-label={t('loading')} />;
  if (lines.length === 0) return <Empty icon={<IconFileSearch size={24} />} title={t('egress.nothing')}>{t('egress.nothingText')}</Empty>;
  return (
    <Card padding={0}>
      <Table className="stack-table" aria-label={t('egress.title')}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('egress.line')}</Table.Th>
            <Table.Th>{t('egress.time')}</Table.Th>
            <Table.Th>{t('egress.what')}</Table.Th>
            <Table.Th ta="right">{t('egress.size')}</Table.Th>
            <Table.Th><span className="visually-hidden">{t('egress.contents')}</span></Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map((line) => (
            <Fragment key={line.line}>
              <Table.Tr>
                <Table.Th scope="row" fw={400} data-label={t('egress.line')}>{line.line}</Table.Th>
                <Table.Td data-label={t('egress.time')}>{dayAndTime(line.at, i18n.language, zone)}</Table.Td>
                <Table.Td data-label={t('egress.what')}><Group gap={8} wrap="nowrap"><Mark of={line.class} />{t(`egress.class.${line.class}.name`)}</Group></Table.Td>
                <Table.Td data-label={t('egress.size')} ta="right">{size(line.bytes, i18n.language)}</Table.Td>
                <Table.Td ta="right">
                  <Button size="compact-sm" variant="subtle" aria-expanded={open === line.line} aria-label={t(open === line.line ? 'egress.closeLine' : 'egress.readLine', { line: line.line })} onClick={() => setOpen(open === line.line ? null : line.line)}>{t(open === line.line ? 'egress.close' : 'egress.read')}</Button>
                </Table.Td>
              </Table.Tr>
              {open === line.line && (
                <Table.Tr>
                  <Table.Td colSpan={5}>
                    {line.said === null ? <Text size="sm" c="dimmed">{t('egress.unread')}</Text> : <Code block tabIndex={0} aria-label={t('egress.readLine', { line: line.line })} style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{JSON.stringify(line.said, null, 2)}</Code>}
                    <Text size="xs" c="dimmed" mt={4} style={{ overflowWrap: 'anywhere' }}>SHA-256 {line.sha256}</Text>
                  </Table.Td>
                </Table.Tr>
              )}
            </Fragment>
          ))}
        </Table.Tbody>
      </Table>
      {more !== null && <Group justify="center" p="md"><Button variant="default" loading={waits} onClick={more}>{t('egress.more')}</Button></Group>}
    </Card>
  );
}
