// What came of one drill: passed or not, how the link and the rest came back, and promise against fact.
import '@mantine/core/styles/Table.css';
import { Alert, Badge, Button, Card, Group, SimpleGrid, Table, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconCheck, IconQuestionMark, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { clock, count, dayAndTime } from '../format';
import type { DrillCalls, DrillOutcome, DrillReport, DrillVerdict } from '../model';
import { Figure } from '../ui/bits';
import { fill, useWords, type Words } from './words';

const COLOR: Record<DrillVerdict, string> = { kept: 'green', less: 'blue', broken: 'red', unasked: 'gray', withheld: 'gray', unread: 'yellow' };
const COLOR_OF: Record<DrillOutcome, string> = { passed: 'green', not_passed: 'red', not_known: 'gray' };
/** What broke comes first. */
const ORDER: readonly DrillVerdict[] = ['broken', 'unread', 'withheld', 'kept', 'less', 'unasked'];

/** Of the centre alone: whether what it has is what the branch has. */
export interface Judged {
  whole: boolean;
  equal: boolean;
}

export function DrillReportCard({ report, outcome, place, judged, zone }: { report: DrillReport; outcome: DrillOutcome; place?: string; judged?: Judged; zone?: string }) {
  const { i18n } = useTranslation();
  const words = useWords();
  const [open, shown] = useDisclosure(outcome !== 'passed');
  const title = `drill-${place ?? ''}-${report.began}`;
  const marks = [...report.marks].sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  const after = (from: number | null, at: number | null) => (from === null || at === null ? <Text fw={600}>{words.never}</Text> : fill(words.seconds, { count: Math.max(0, Math.round((at - from) / 1000)) }));
  const ran = !report.why.startsWith('not_run_');
  const when = ran ? fill(words.ran, { at: dayAndTime(report.began, i18n.language, zone), minutes: Math.round(report.lasted_ms / 60_000) }) : fill(words.notRun, { at: dayAndTime(report.drill.at, i18n.language, zone) });
  const said = { passed: words.passed, not_passed: words.failed, not_known: words.notKnown }[outcome];
  const Icon = { passed: IconCheck, not_passed: IconX, not_known: IconQuestionMark }[outcome];
  return (
    <Card component="section" aria-labelledby={title}>
      <Group justify="space-between" align="flex-start" gap="md" mb="sm">
        <div>
          <Title order={3} size="h5" id={title}>{place ?? when}</Title>
          <Text size="sm" c="dimmed">{place === undefined ? words.why[report.why] : `${when}. ${words.why[report.why]}`}</Text>
        </div>
        <Badge size="lg" variant="light" tt="none" color={COLOR_OF[outcome]} leftSection={<Icon size={14} aria-hidden />}>{said}</Badge>
      </Group>
      {ran && judged !== undefined && !(judged.whole && judged.equal) && (
        <Alert color="red" variant="light" mb="sm" icon={<IconAlertTriangle size={18} />}>
          {words.complete}: {judged.whole ? words.whole : words.gaps}. {words.figures}: {judged.equal ? words.equal : words.differ}.
        </Alert>
      )}
      {ran && (<>
      <SimpleGrid cols={{ base: 2, sm: 4 }} mb="sm">
        <Figure label={words.joined} value={after(report.ended, report.joined)} color={report.joined === null ? 'var(--mantine-color-red-text)' : undefined} />
        <Figure label={words.delivered} value={after(report.joined, report.delivered)} color={report.delivered === null ? 'var(--mantine-color-red-text)' : undefined} />
        <Figure label={words.rows} value={count(report.rows, i18n.language)} />
        {judged === undefined ? <Shortest report={report} words={words} /> : <Figure label={words.figures} value={<Text fw={600}>{judged.equal ? words.equal : words.differ}</Text>} />}
      </SimpleGrid>
      {report.during !== null && report.before !== null && <Calls before={report.before} during={report.during} words={words} />}
      <Button variant="subtle" size="compact-sm" w="fit-content" aria-expanded={open} onClick={shown.toggle}>{open ? words.hide : words.show}</Button>
      {open && (
        <Table className="stack-table" mt="xs" aria-label={words.function}>
          <Table.Thead><Table.Tr><Table.Th>{words.function}</Table.Th><Table.Th>{words.promise}</Table.Th><Table.Th>{words.fact}</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {marks.map((mark) => (
              <Table.Tr key={mark.function}>
                <Table.Td data-label={words.function}><Text size="sm" fw={600}>{words.functions[mark.function]}</Text></Table.Td>
                <Table.Td data-label={words.promise}><Text size="sm">{words.promises[mark.function]}</Text></Table.Td>
                <Table.Td data-label={words.fact}><Badge variant="light" tt="none" color={COLOR[mark.verdict]}>{words.verdicts[mark.verdict]}</Badge></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      </>)}
    </Card>
  );
}

function Shortest({ report, words }: { report: DrillReport; words: Words }) {
  const { t } = useTranslation();
  const first = [...report.alone].sort((a, b) => a.days - b.days)[0];
  return <Figure label={words.shortest} value={<Text fw={600}>{first === undefined ? '–' : words.functions[first.until]}</Text>} note={first === undefined ? undefined : t('alone.days', { count: first.days })} />;
}

function Calls({ before, during, words }: { before: DrillCalls; during: DrillCalls; words: Words }) {
  const { i18n } = useTranslation();
  const mean = (calls: DrillCalls) => (calls.answered === 0 ? '–' : clock((calls.wait_s * 1000) / calls.answered));
  const lines: [string, DrillCalls][] = [[words.during, during], [words.before, before]];
  return (
    <Table.ScrollContainer minWidth={420} type="native" tabIndex={0} mb="sm">
      <Table aria-label={words.calls}>
        <Table.Thead>
          <Table.Tr><Table.Th>{words.calls}</Table.Th><Table.Th>{words.offered}</Table.Th><Table.Th>{words.answered}</Table.Th><Table.Th>{words.abandoned}</Table.Th><Table.Th>{words.wait}</Table.Th><Table.Th>{words.recorded}</Table.Th></Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map(([name, calls]) => (
            <Table.Tr key={name}>
              <Table.Td>{name}</Table.Td>
              <Table.Td>{count(calls.offered, i18n.language)}</Table.Td>
              <Table.Td>{count(calls.answered, i18n.language)}</Table.Td>
              <Table.Td>{count(calls.abandoned, i18n.language)}</Table.Td>
              <Table.Td>{mean(calls)}</Table.Td>
              <Table.Td>{count(calls.recorded, i18n.language)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
