// Changes on their way to many branches: how each stands, and what is kept to be rolled out.
import { Alert, Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertCircle, IconPlus, IconStack2, IconTemplate } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Me } from '../api';
import { dropTemplate, rollouts as ask, templates as askTemplates, type RolloutLine, type Template } from './api';
import { RolloutCard } from './card';
import { ChangeList } from './changes';

/** While something may happen by itself. */
const LIVE_MS = 3_000;
const QUIET_MS = 30_000;
const isLive = (line: RolloutLine) => line.state === 'running' || line.state === 'held' || line.state === 'reverting';

export default function RolloutsPage({ me }: { me: Me }) {
  const { t } = useTranslation();
  const found = useQuery({ queryKey: ['rollouts'], queryFn: ask, refetchInterval: (query) => (query.state.data?.some(isLive) ? LIVE_MS : QUIET_MS) });
  const may = me.may.includes('roll_out');
  const kept = useQuery({ queryKey: ['templates'], queryFn: askTemplates, enabled: may });
  const lines = found.data ?? [];
  return (
    <>
      <Heading title={t('rollouts.title')} note={t('rollouts.note')}>
        {may && <Button component={Link} to="/rollouts/new" leftSection={<IconPlus size={16} aria-hidden />}>{t('rollouts.add')}</Button>}
      </Heading>
      {[found, kept].filter((each) => each.isError).map((each, index) => (
        <Alert key={index} color="red" variant="light" mb="lg" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, each.error)}<Button size="xs" variant="default" onClick={() => void each.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      ))}
      <Stack gap="xl">
        {found.isPending ? (
          <Card><Stack role="status" aria-label={t('loading')}>{Array.from({ length: 5 }, (_, n) => <Skeleton key={n} height={24} />)}</Stack></Card>
        ) : lines.length === 0 ? (
          !found.isError && <Card><Empty icon={<IconStack2 size={24} />} title={t('rollouts.none')}>{t('rollouts.noneText')}</Empty></Card>
        ) : (
          <Stack gap="lg">{lines.map((line) => <RolloutCard key={line.rollout} line={line} me={me} may={may} />)}</Stack>
        )}
        {may && (
          <section aria-labelledby="templates">
            <Title order={2} size="h4" id="templates">{t('templates.title')}</Title>
            <Text size="sm" c="dimmed" mb="md">{t('templates.note')}</Text>
            {kept.data && <Templates kept={kept.data} />}
          </section>
        )}
      </Stack>
    </>
  );
}

function Templates({ kept }: { kept: readonly Template[] }) {
  const { t, i18n } = useTranslation();
  const drop = useMutation({ mutationFn: dropTemplate, onSettled: () => queries.invalidateQueries({ queryKey: ['templates'] }) });
  if (kept.length === 0) return <Card><Empty icon={<IconTemplate size={24} />} title={t('templates.none')}>{t('templates.noneText')}</Empty></Card>;
  return (
    <Card padding={0}>
      {drop.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, drop.error)}</Alert>}
      <Stack gap={0} component="ul" className="plain-list">
        {kept.map((template) => (
          <li key={template.template} className="history-line">
            <Group justify="space-between" align="flex-start" gap="md">
              <Stack gap={4} miw={0} flex={1}>
                <Group gap={8}><Text size="sm" fw={600}>{template.label}</Text><Text size="xs" c="dimmed">{t('tokens.by', { who: template.author, when: dayAndTime(template.at, i18n.language) })}</Text></Group>
                <ChangeList changes={template.changes} />
              </Stack>
              <Group gap="xs">
                <Button size="xs" variant="light" component={Link} to={`/rollouts/new?template=${template.template}`} aria-label={`${t('templates.use')}: ${template.label}`}>{t('templates.use')}</Button>
                <Button size="xs" variant="subtle" color="red" loading={drop.isPending && drop.variables === template.template} onClick={() => drop.mutate(template.template)} aria-label={`${t('templates.drop')}: ${template.label}`}>{t('templates.drop')}</Button>
              </Group>
            </Group>
          </li>
        ))}
      </Stack>
    </Card>
  );
}
