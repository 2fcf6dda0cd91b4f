// One roll-out: where it is, wave by wave and branch by branch, and what a person may say of it.
import { Alert, Badge, Button, Card, Group, Modal, Progress, Stack, Table, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertCircle, IconAlertTriangle, IconArrowBackUp, IconCheck, IconCircleCheck, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { ago, dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { queries } from '@shared/ui/queries';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Me } from '../api';
import { agree, say, type RolloutLine, type RolloutSite, type Standing, type State, type Word } from './api';
import { ChangeList } from './changes';

const STATE_COLOR: Record<State, string> = { awaits_second: 'yellow', running: 'blue', held: 'yellow', reverting: 'red', reverted: 'red', done: 'green', unreadable: 'red' };
const STANDING_COLOR: Record<Standing, string> = { waiting: 'gray', written: 'blue', runs: 'blue', passed: 'green', alike: 'gray', taken_back: 'red', stuck: 'red' };
const isThere = (site: RolloutSite) => site.is === 'passed' || site.is === 'alike';

export function RolloutCard({ line, me, may }: { line: RolloutLine; me: Me; may: boolean }) {
  const { t, i18n } = useTranslation();
  const [all, shown] = useDisclosure(line.state !== 'done' && line.state !== 'reverted');
  const sites = line.waves.flat();
  const there = sites.filter(isThere).length;
  const title = `rollout-${line.rollout}`;
  return (
    <Card component="section" aria-labelledby={title}>
      <Group justify="space-between" align="flex-start" gap="md" mb="sm">
        <div>
          <Group gap="sm">
            <Title order={2} size="h4" id={title}>{line.label}</Title>
            <Badge variant="light" size="lg" color={STATE_COLOR[line.state]} tt="none" role="status">{t(`rollouts.state.${line.state}`)}</Badge>
          </Group>
          <Text size="sm" c="dimmed">{line.by === null ? dayAndTime(line.created, i18n.language) : t('tokens.by', { who: line.by, when: dayAndTime(line.created, i18n.language) })}</Text>
        </div>
        {may && <Words line={line} me={me} />}
      </Group>
      {line.state === 'unreadable' && <Alert mb="sm" color="red" variant="light" icon={<IconAlertTriangle size={18} />}>{t('rollouts.unreadable')}</Alert>}
      {line.why && <Reason line={line} />}
      {line.state === 'awaits_second' && <Text size="sm" mb="sm">{t(line.by === me.login ? 'rollouts.secondOther' : 'rollouts.secondYou')}</Text>}
      {sites.length > 0 && <Group gap="sm" wrap="nowrap" mb="sm">
        <Progress flex={1} value={(100 * there) / Math.max(1, sites.length)} color={STATE_COLOR[line.state]} aria-label={t('rollouts.progress')} />
        <Text size="sm" style={{ whiteSpace: 'nowrap' }}>{t('sites.of', { part: there, all: sites.length })}</Text>
      </Group>}
      <ChangeList changes={line.changes} />
      {line.overrule && <Text size="xs" c="dimmed" mt={4}>{t('rollouts.overrules')}</Text>}
      {sites.length > 0 && <Button mt="xs" variant="subtle" size="compact-sm" w="fit-content" aria-expanded={all} onClick={shown.toggle}>{t(all ? 'rollouts.fewer' : 'rollouts.branches')}</Button>}
      {all && sites.length > 0 && <Waves line={line} />}
    </Card>
  );
}

function Reason({ line }: { line: RolloutLine }) {
  const { t } = useTranslation();
  const site = line.waves.flat().find((each) => each.site === line.site)?.label ?? line.site ?? t('rollouts.elsewhere');
  const held = line.state === 'held';
  return (
    <Alert mb="sm" color={held ? 'yellow' : 'red'} variant="light" icon={<IconAlertTriangle size={18} />}>
      {line.why === 'person' ? t(held ? 'rollouts.why.paused' : 'rollouts.why.person', { who: line.stopped_by ?? '' }) : t(`rollouts.why.${line.why ?? 'silent'}`, { site })}
    </Alert>
  );
}

function Waves({ line }: { line: RolloutLine }) {
  const { t, i18n } = useTranslation();
  return (
    <Table className="stack-table" mt="xs" aria-label={t('rollouts.branches')}>
      <Table.Thead>
        <Table.Tr><Table.Th>{t('rollouts.wave')}</Table.Th><Table.Th>{t('sites.branch')}</Table.Th><Table.Th>{t('rollouts.standing')}</Table.Th><Table.Th>{t('rollouts.callers')}</Table.Th><Table.Th>{t('rollouts.since')}</Table.Th></Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {line.waves.map((wave, n) => wave.map((site) => {
          const watched = site.is === 'runs' || site.is === 'passed' || site.is === 'written';
          return (
            <Table.Tr key={site.site}>
              <Table.Td data-label={t('rollouts.wave')}>{n + 1}{n === line.wave && line.state === 'running' && <Text span size="xs" c="dimmed"> · {t('rollouts.now')}</Text>}</Table.Td>
              <Table.Td data-label={t('sites.branch')}><Text component={Link} to={`/sites/${site.site}`} size="sm" fw={600} c="inherit">{site.label ?? site.site}</Text></Table.Td>
              <Table.Td data-label={t('rollouts.standing')}>
                <Badge variant="light" color={STANDING_COLOR[site.is]} tt="none" leftSection={isThere(site) ? <IconCheck size={12} aria-hidden /> : undefined}>{t(`rollouts.is.${site.is}`)}</Badge>
                {watched && !site.linked && <Text size="xs" c="var(--mantine-color-red-text)">{t('sites.cut')}</Text>}
                {site.left !== undefined && site.left > 0 && <Text size="xs" c="dimmed">{t('rollouts.left', { count: site.left })}</Text>}
              </Table.Td>
              <Table.Td data-label={t('rollouts.callers')}><Text size="sm" c={site.calls === 'worse' ? 'var(--mantine-color-red-text)' : site.calls === 'few' ? 'dimmed' : undefined}>{site.is === 'waiting' || site.is === 'alike' ? '–' : t(`rollouts.calls.${site.calls}`)}</Text></Table.Td>
              <Table.Td data-label={t('rollouts.since')}>{site.is === 'waiting' ? '–' : ago(Math.max(0, Date.now() - site.since), i18n.language)}</Table.Td>
            </Table.Tr>
          );
        }))}
      </Table.Tbody>
    </Table>
  );
}

function Words({ line, me }: { line: RolloutLine; me: Me }) {
  const { t } = useTranslation();
  const [asking, dialog] = useDisclosure(false);
  const done = useMutation({
    mutationFn: (word: Word | 'agree') => (word === 'agree' ? agree(line.rollout) : say(line.rollout, word)),
    onSuccess: dialog.close,
    onSettled: () => queries.invalidateQueries({ queryKey: ['rollouts'] }),
  });
  const isStuck = line.waves.flat().some((site) => site.is === 'stuck');
  const can = (...states: State[]) => states.includes(line.state);
  const button = (word: Word | 'agree', icon: React.ReactNode) => (
    <Button size="xs" variant="default" leftSection={icon} loading={done.isPending && done.variables === word} onClick={() => done.mutate(word)} aria-label={`${t(`rollouts.say.${word}`)}: ${line.label}`}>{t(`rollouts.say.${word}`)}</Button>
  );
  return (
    <Stack gap="xs" align="flex-end">
      <Group gap="xs" justify="flex-end">
        {can('awaits_second') && line.by !== me.login && button('agree', <IconCircleCheck size={15} aria-hidden />)}
        {can('running') && line.wave === 0 && line.wants_calls && button('go_on', <IconPlayerPlay size={15} aria-hidden />)}
        {can('running') && button('pause', <IconPlayerPause size={15} aria-hidden />)}
        {can('held') && button('resume', <IconPlayerPlay size={15} aria-hidden />)}
        {(can('awaits_second', 'running', 'held', 'done') || (can('reverted') && isStuck)) && (
          <Button size="xs" variant="light" color="red" leftSection={<IconArrowBackUp size={15} aria-hidden />} onClick={dialog.open} aria-label={`${t('rollouts.say.take_back')}: ${line.label}`}>{t('rollouts.say.take_back')}</Button>
        )}
      </Group>
      {done.isError && <Text size="sm" c="var(--mantine-color-red-text)" role="alert">{refusalText(t, done.error)}</Text>}
      <Modal opened={asking} onClose={dialog.close} title={t('rollouts.takeBackTitle', { label: line.label })} closeButtonProps={{ 'aria-label': t('close') }}>
        <Stack>
          {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
          <Text size="sm">{t('rollouts.takeBackText')}</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={dialog.close} data-autofocus>{t('cancel')}</Button>
            <Button color="red" loading={done.isPending} onClick={() => done.mutate('take_back')}>{t('rollouts.say.take_back')}</Button>
          </Group>
        </Stack>
      </Modal>
    </Stack>
  );
}
