// What a supervisor of the branch may set here, with what the resolver found.
import './styles';
import { Alert, Button, Card, Group, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { AgentsEditor } from '@shared/edit/agents';
import type { Place } from '@shared/edit/editing';
import { FindingsSummary } from '@shared/edit/summary';
import { HoursEditor } from '@shared/edit/hours';
import { MergeView } from '@shared/history/merge';
import { DispositionsEditor, PausesEditor } from '@shared/edit/labels';
import { QueuesEditor } from '@shared/edit/queues';
import { useWords } from '@shared/drills/words';
import { refusalText } from '@shared/text/words';
import { AloneText } from '@shared/ui/alone';
import { Heading } from '@shared/ui/bits';
import { Queries, queries } from '@shared/ui/queries';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { change, decide, merge, settings } from '../api';
import { Drills } from './drills';

export default function SettingsPlace({ config }: { config: number }) {
  return <Queries><BranchSettings config={config} /></Queries>;
}

/** `config` grows whenever another configuration runs. */
function BranchSettings({ config }: { config: number }) {
  const { t } = useTranslation();
  const words = useWords();
  useEffect(() => {
    if (config > 0) void queries.invalidateQueries();
  }, [config]);
  const found = useQuery({ queryKey: ['settings'], queryFn: settings });
  if (found.isPending)
    return <Card><Stack role="status" aria-label={t('loading')}>{Array.from({ length: 5 }, (_, n) => <Skeleton key={n} height={28} />)}</Stack></Card>;
  if (found.isError)
    return (
      <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
        <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
      </Alert>
    );
  const place: Place = {
    ...found.data,
    side: 'branch',
    readOnly: false,
    apply: async (changes) => {
      queries.setQueryData(['settings'], await change(changes));
    },
  };
  return (
    <>
      <Heading title={t('settings.title')} note={t('settings.note')} />
      <Card padding="md" mb="lg"><Text size="sm" c="dimmed" mb={4}>{t('alone.title')}</Text><AloneText alone={found.data.alone} /></Card>
      <FindingsSummary findings={place.findings} />
      <Tabs defaultValue="queues" keepMounted={false} variant="default">
        <Tabs.List mb="lg">
          <Tabs.Tab value="queues">{t('queue.title')}</Tabs.Tab>
          <Tabs.Tab value="agents">{t('agent.title')}</Tabs.Tab>
          <Tabs.Tab value="hours">{t('hours.title')}</Tabs.Tab>
          <Tabs.Tab value="merge">{t('merge.title')}</Tabs.Tab>
          <Tabs.Tab value="pauses">{t('pause.title')}</Tabs.Tab>
          <Tabs.Tab value="dispositions">{t('disposition.title')}</Tabs.Tab>
          <Tabs.Tab value="drills">{words.title}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="queues"><QueuesEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="agents"><AgentsEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="hours"><HoursEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="merge"><Merge place={place} /></Tabs.Panel>
        <Tabs.Panel value="pauses"><PausesEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="dispositions"><DispositionsEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="drills"><Drills zone={place.config.site.time_zone} /></Tabs.Panel>
      </Tabs>
    </>
  );
}

/** What became of edits that centre and branch made apart. */
function Merge({ place }: { place: Place }) {
  const { t } = useTranslation();
  const found = useQuery({ queryKey: ['merge'], queryFn: merge });
  if (found.isPending) return <Card><Skeleton height={80} role="status" aria-label={t('loading')} /></Card>;
  if (found.isError)
    return (
      <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
        <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
      </Alert>
    );
  return (
    <MergeView
      report={found.data}
      config={place.config}
      decide={async (decision) => {
        queries.setQueryData(['settings'], await decide(decision));
        await queries.invalidateQueries({ queryKey: ['merge'] });
      }}
    />
  );
}
