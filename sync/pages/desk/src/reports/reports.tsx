// Reports: what is asked for stands in the page's address, so that a link is a report.
import '@mantine/core/styles/FloatingIndicator.css';
import '@mantine/core/styles/SegmentedControl.css';
import './reports.css';
import { Alert, Badge, Box, Button, Card, Group, Menu, NativeSelect, Progress, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { IconAlertCircle, IconChartBar, IconDownload, IconLink, IconRefresh, IconX } from '@tabler/icons-react';
import { count, dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine, Me, QueueLine } from '../api';
import { BY_MAX, DIMENSIONS, SPANS, STEPS, daysOf, query, read, write, type Dimension, type Span, type Step, type Wanted } from './ask';
import { Chart } from './chart';
import { useReport, type Progress as Made, type Report } from './report';
import { GROUPS, columnText, columnsOf, groupOf, keyText } from './show';
import { Rows } from './table';
import { useWords, type Words } from './words';

const FORMATS = ['xlsx', 'csv', 'json'] as const;

interface Props {
  me: Me;
  queues: readonly QueueLine[];
  agents: readonly AgentLine[];
}

export default function Reports({ me, queues, agents }: Props) {
  const { t, i18n } = useTranslation();
  const w = useWords();
  const [wanted, setWanted] = useState(() => read(window.location.hash));
  const [at, setAt] = useState(() => Date.now());
  const zone = me.site.time_zone;
  const asked = useMemo(() => query(wanted, zone, at), [wanted, zone, at]);
  const made = useReport(asked);
  useEffect(() => {
    window.history.replaceState(null, '', write(wanted));
  }, [wanted]);
  useEffect(() => () => window.history.replaceState(null, '', window.location.pathname), []);
  const change = (part: Partial<Wanted>) => setWanted((was) => ({ ...was, ...part }));
  const again = () => {
    setAt(Date.now());
    made.again();
  };
  const { report } = made;
  const group = groupOf(wanted.figures);
  const columns = report === null ? [] : columnsOf(report, group);
  const drawn = columns.find((index) => report?.columns[index]?.name === wanted.drawn) ?? columns[0];
  return (
    <Stack gap="lg">
      <Heading title={w.title} note={me.role === 'supervisor' ? w.noteSupervisor : w.noteAgent}>
        <Group gap="sm">
          <CopyLink />
          <Button variant="default" leftSection={<IconRefresh size={18} />} onClick={again}>{w.again}</Button>
          <Menu position="bottom-end">
            <Menu.Target><Button variant="default" leftSection={<IconDownload size={18} />}>{w.file}…</Button></Menu.Target>
            <Menu.Dropdown>
              {FORMATS.map((format) => <Menu.Item key={format} component="a" href={`/api/reports/file?${asked}&format=${format}`} download>{format.toUpperCase()}</Menu.Item>)}
            </Menu.Dropdown>
          </Menu>
        </Group>
      </Heading>
      <Card>
        <Stack gap="sm">
          <Days wanted={wanted} zone={zone} at={at} change={change} />
          <div className="report-pickers">
            <NativeSelect label={w.step} value={wanted.step} onChange={(event) => change({ step: event.currentTarget.value as Step })} data={STEPS.map((value) => ({ value, label: w.steps[value] }))} />
            <SplitBy wanted={wanted} change={change} />
            <Only dimension="queue" wanted={wanted} change={change} values={queues.map((line) => [line.queue, line.label])} />
            {me.role === 'supervisor' && <Only dimension="agent" wanted={wanted} change={change} values={agents.map((line) => [line.agent, line.badge])} />}
            <NativeSelect label={w.figures} value={group} onChange={(event) => change({ figures: event.currentTarget.value })} data={(Object.keys(GROUPS) as (keyof typeof GROUPS)[]).map((value) => ({ value, label: w.groups[value] }))} />
          </div>
          <Narrowed wanted={wanted} report={report} change={change} />
        </Stack>
      </Card>
      {made.waits && <Making progress={made.progress} />}
      {made.error !== null && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">
          <Group justify="space-between">{refusalText(t, made.error)}<Button size="xs" variant="default" onClick={again}>{t('retry')}</Button></Group>
        </Alert>
      )}
      {report !== null && (
        <Box style={{ opacity: made.waits ? 0.55 : 1 }} aria-busy={made.waits}>
          {drawn !== undefined && report.times.length > 1 && report.rows.length > 0 && (
            <Card mb="lg">
              <NativeSelect mb="sm" maw={280} aria-label={w.drawn} value={report.columns[drawn]?.name} onChange={(event) => change({ drawn: event.currentTarget.value })} data={columns.flatMap((index) => {
                const column = report.columns[index];
                return column ? [{ value: column.name, label: columnText(w, report, column) }] : [];
              })} />
              <Chart report={report} column={drawn} />
            </Card>
          )}
          {report.rows.length === 0 && !report.times.some((time) => time.down)
            ? <Card><Empty icon={<IconChartBar size={24} />} title={w.empty}>{w.emptyText}</Empty></Card>
            : <Rows report={report} group={group} narrow={(dimension, value) => change({ only: { ...wanted.only, [dimension]: value ?? '-' } })} />}
          <Text size="xs" c="dimmed" mt="xs">{w.made} {dayAndTime(report.made, i18n.language, zone)} · {report.site.time_zone}</Text>
        </Box>
      )}
    </Stack>
  );
}

function Days({ wanted, zone, at, change }: { wanted: Wanted; zone: string; at: number; change: (part: Partial<Wanted>) => void }) {
  const w = useWords();
  const [from, until] = daysOf(wanted, zone, at);
  const set = (first: string, last: string) => first !== '' && last !== '' && change({ span: 'days', from: first, until: last < first ? first : last });
  return (
    <div className="report-pickers">
      <SegmentedControl aria-label={w.span} value={wanted.span} onChange={(span) => change({ span: span as Span, from, until })} data={SPANS.map((value) => ({ value, label: w.spans[value] }))} />
      {wanted.span === 'days' && (
        <>
          <TextInput type="date" label={w.from} value={from} max={until} onChange={(event) => set(event.currentTarget.value, until)} />
          <TextInput type="date" label={w.until} value={until} min={from} onChange={(event) => set(from, event.currentTarget.value)} />
        </>
      )}
    </div>
  );
}

function SplitBy({ wanted, change }: { wanted: Wanted; change: (part: Partial<Wanted>) => void }) {
  const w = useWords();
  const places = Math.min(BY_MAX, wanted.by.length + 1);
  const set = (place: number, value: string) => {
    const by = [...wanted.by];
    if (value === '') by.length = place;
    else by[place] = value as Dimension;
    change({ by });
  };
  return Array.from({ length: places }, (_, place) => (
    <NativeSelect
      key={place} label={place === 0 ? w.by : w.andBy} value={wanted.by[place] ?? ''} onChange={(event) => set(place, event.currentTarget.value)}
      data={[{ value: '', label: w.nothing }, ...DIMENSIONS.filter((each) => each === wanted.by[place] || !wanted.by.includes(each)).map((value) => ({ value, label: w.dimensions[value] }))]}
    />
  ));
}

function Only({ dimension, wanted, change, values }: { dimension: Dimension; wanted: Wanted; change: (part: Partial<Wanted>) => void; values: [string, string][] }) {
  const w = useWords();
  const now = wanted.only[dimension] ?? '';
  const known = now === '' || now === '-' || values.some(([value]) => value === now);
  const set = (value: string) => {
    const only = { ...wanted.only };
    if (value === '') delete only[dimension];
    else only[dimension] = value;
    change({ only });
  };
  return (
    <NativeSelect
      label={w.dimensions[dimension]} value={now} onChange={(event) => set(event.currentTarget.value)}
      data={[{ value: '', label: w.everything }, ...values.map(([value, label]) => ({ value, label })), ...(known ? [] : [{ value: now, label: now }]), { value: '-', label: w.none[dimension] }]}
    />
  );
}

/** What the report is narrowed to, with a way back. */
function Narrowed({ wanted, report, change }: { wanted: Wanted; report: Report | null; change: (part: Partial<Wanted>) => void }) {
  const w = useWords();
  const rest = DIMENSIONS.filter((dimension) => dimension !== 'queue' && dimension !== 'agent' && wanted.only[dimension] !== undefined);
  if (rest.length === 0 || report === null) return null;
  const text = (dimension: Dimension) => {
    const value = wanted.only[dimension] ?? '-';
    return `${w.dimensions[dimension]}: ${keyText(w, report, dimension, value === '-' ? null : value)}`;
  };
  const widen = (dimension: Dimension) => {
    const only = { ...wanted.only };
    delete only[dimension];
    change({ only });
  };
  return (
    <Group gap="xs">
      {rest.map((dimension) => (
        <Badge key={dimension} component="button" size="lg" variant="light" color="gray" tt="none" style={{ cursor: 'pointer' }} rightSection={<IconX size={12} aria-hidden />} aria-label={w.widen + text(dimension)} onClick={() => widen(dimension)}>{text(dimension)}</Badge>
      ))}
    </Group>
  );
}

function Making({ progress }: { progress: Made | null }) {
  const { i18n } = useTranslation();
  const w: Words = useWords();
  const part = progress === null || progress.of === 0 ? 0 : (progress.done / progress.of) * 100;
  return (
    <Stack gap={4} role="status">
      <Text size="sm">{w.making}{progress === null ? '…' : ` ${count(progress.done, i18n.language)} / ${count(progress.of, i18n.language)}`}</Text>
      <Progress value={progress === null ? 100 : part} animated={progress === null} aria-label={w.making} />
    </Stack>
  );
}

function CopyLink() {
  const w = useWords();
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard?.writeText(window.location.href).then(() => setCopied(true), () => {});
  return <Button variant="default" leftSection={<IconLink size={18} />} onClick={copy} onBlur={() => setCopied(false)}>{copied ? w.copied : w.link}</Button>;
}
