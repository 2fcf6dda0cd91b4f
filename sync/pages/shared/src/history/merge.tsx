// The merge report: what two sides wrote while apart, what is in force and by which rule, and what waits for a person.
import { Alert, Badge, Button, Card, Divider, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconAlertCircle, IconArrowsJoin2, IconChecks, IconHelpCircle } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Config, Entry, Meeting, MergeOutcome, MergeReport, MergeRule } from '../model';
import { refusalText } from '../text/words';
import { Empty } from '../ui/bits';
import { FieldList, ValueText, useWho } from './fields';
import { pathText } from './paths';

export type Decision = { take: { path: string; seq: number } } | { follow_plan: { path: string } };

interface Shown {
  config: Config;
  /** Left out for who only looks. */
  decide?: (decision: Decision) => Promise<void>;
}

const COLOR: Record<MergeRule, string> = { ask: 'orange', branch_wins: 'blue', centre_wins: 'grape', both_kept: 'green', strictest: 'green', written_stands: 'blue', removed: 'red' };

export function MergeView({ report, ...shown }: Shown & { report: MergeReport }) {
  const { t } = useTranslation();
  return (
    <Stack gap="lg">
      <Card component="section" aria-label={t('merge.waiting')}>
        <Title order={2} size="h4" mb={4}>{t('merge.waiting')}</Title>
        {report.waiting.length === 0 ? (
          <Group gap={8} wrap="nowrap"><IconChecks size={18} aria-hidden /><Text size="sm">{t('merge.nothingWaits')}</Text></Group>
        ) : (
          <>
            <Text size="sm" c="dimmed" mb="md">{t('merge.waitingText')}</Text>
            <Stack gap="md">{report.waiting.map((outcome) => <Waiting key={outcome.path} outcome={outcome} {...shown} />)}</Stack>
          </>
        )}
      </Card>
      {report.differs.length > 0 && (
        <Card component="section" aria-label={t('merge.differs')}>
          <Title order={2} size="h4" mb={4}>{t('merge.differs')}</Title>
          <Text size="sm" c="dimmed" mb="md">{t('merge.differsText')}</Text>
          <Stack gap="md">{report.differs.map((outcome) => <Outcome key={outcome.path} outcome={outcome} plan {...shown} />)}</Stack>
        </Card>
      )}
      {report.meetings.length === 0 ? (
        <Card><Empty icon={<IconArrowsJoin2 size={24} />} title={t('merge.none')}>{t('merge.noneText')}</Empty></Card>
      ) : (
        report.meetings.map((meeting) => <MeetingCard key={`${meeting.from}-${meeting.until}`} meeting={meeting} {...shown} />)
      )}
    </Stack>
  );
}

function useDecide(decide: Shown['decide']) {
  const { t } = useTranslation();
  const run = useMutation({ mutationFn: (decision: Decision) => decide?.(decision) ?? Promise.resolve() });
  const note = run.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, run.error)}</Alert>;
  return { run, note };
}

/** Both words, side by side, each with a button that takes it. */
function Waiting({ outcome, config, decide }: Shown & { outcome: MergeOutcome }) {
  const { t } = useTranslation();
  const who = useWho(config.site.time_zone);
  const { run, note } = useDecide(decide);
  return (
    <Stack gap={8} role="group" aria-label={pathText(t, config, outcome.path)}>
      <Group gap={8}>
        <IconHelpCircle size={18} aria-hidden />
        <Text fw={600} size="sm">{pathText(t, config, outcome.path)}</Text>
        <Text size="sm" c="dimmed">{t('merge.meanwhile')}</Text>
        <ValueText path={outcome.path} config={config} value={outcome.kept} />
      </Group>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        {outcome.said.map((said) => (
          <Group key={said.seq} justify="space-between" wrap="nowrap" p="sm" className="merge-word">
            <Stack gap={2} miw={0}>
              <Text size="xs" c="dimmed">{who.sided(said)}</Text>
              <ValueText path={outcome.path} config={config} value={said.value} />
            </Stack>
            {decide && (
              <Button size="xs" variant="light" loading={run.isPending && 'take' in run.variables && run.variables.take.seq === said.seq} disabled={run.isPending}
                aria-label={t('merge.takeOf', { side: t(`merge.side.${said.side}`), field: pathText(t, config, outcome.path) })}
                onClick={() => run.mutate({ take: { path: outcome.path, seq: said.seq } })}>
                {t('merge.take')}
              </Button>
            )}
          </Group>
        ))}
      </SimpleGrid>
      {note}
    </Stack>
  );
}

/** What came of a field, in one block. */
function Outcome({ outcome, config, decide, plan }: Shown & { outcome: MergeOutcome; plan?: boolean }) {
  const { t } = useTranslation();
  const who = useWho(config.site.time_zone);
  const { run, note } = useDecide(decide);
  const gone = plan && decide;
  return (
    <Stack gap={4}>
      <Group gap={8} justify="space-between" wrap="nowrap" align="flex-start">
        <Group gap={8}>
          <Text fw={600} size="sm" style={{ overflowWrap: 'anywhere' }}>{pathText(t, config, outcome.path)}</Text>
          <Badge variant="light" color={COLOR[outcome.rule]} tt="none">{t(`merge.rule.${outcome.rule}`)}</Badge>
        </Group>
        {gone && (
          <Button size="compact-xs" variant="subtle" loading={run.isPending} aria-label={t('merge.followOf', { field: pathText(t, config, outcome.path) })}
            onClick={() => run.mutate({ follow_plan: { path: outcome.path } })}>{t('merge.follow')}</Button>
        )}
      </Group>
      {outcome.said.map((said) => (
        <Group key={`${said.doc}${said.seq}`} gap={6}>
          <Text size="sm" c="dimmed">{who.sided(said)}:</Text>
          <ValueText path={outcome.path} config={config} value={said.value} />
        </Group>
      ))}
      {!plan && (
        <Group gap={6}>
          <Text size="sm" fw={600}>{outcome.waits ? t('merge.runs') : t('merge.kept')}</Text>
          <ValueText path={outcome.path} config={config} value={outcome.kept} />
          {outcome.decided && <Text size="sm" c="dimmed">{t('merge.decided', { who: who.line(outcome.decided) })}</Text>}
          {outcome.waits && <Text size="sm" c="dimmed">{t('merge.stillWaits')}</Text>}
        </Group>
      )}
      {note}
    </Stack>
  );
}

function MeetingCard({ meeting, config }: Shown & { meeting: Meeting }) {
  const { t } = useTranslation();
  const { when } = useWho(config.site.time_zone);
  return (
    <Card component="section" aria-label={t('merge.apart', { from: when(meeting.from), until: when(meeting.until) })}>
      <Title order={2} size="h4" mb="sm">{t('merge.apart', { from: when(meeting.from), until: when(meeting.until) })}</Title>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        {(['centre', 'branch'] as const).map((side) => (
          <Stack key={side} gap={8}>
            <Title order={3} size="h5">{t(`merge.by.${side}`)}</Title>
            {meeting[side].length === 0 ? <Text size="sm" c="dimmed">{t('merge.wroteNothing')}</Text> : <Entries entries={meeting[side]} config={config} />}
          </Stack>
        ))}
      </SimpleGrid>
      {meeting.more > 0 && <Text size="sm" c="dimmed" mt="sm">{t('merge.more', { count: meeting.more })}</Text>}
      <Divider my="md" />
      <Title order={3} size="h5" mb={8}>{t('merge.came')}</Title>
      {meeting.outcomes.length === 0 ? (
        <Text size="sm">{t('merge.allKept')}</Text>
      ) : (
        <Stack gap="md">{meeting.outcomes.map((outcome, n) => <Outcome key={`${outcome.path}-${n}`} outcome={outcome} config={config} />)}</Stack>
      )}
    </Card>
  );
}

function Entries({ entries, config }: { entries: readonly Entry[]; config: Config }) {
  const who = useWho(config.site.time_zone);
  return (
    <Stack gap="sm">
      {entries.map((entry) => (
        <div key={`${entry.doc}${entry.seq}`}>
          <Text size="xs" c="dimmed" mb={2}>{who.line(entry)}</Text>
          <FieldList fields={entry.fields.slice(0, 12)} config={config} overwritten />
          {entry.fields.length + entry.more > 12 && <Text size="xs" c="dimmed">+ {entry.fields.length + entry.more - 12}</Text>}
        </div>
      ))}
    </Stack>
  );
}
