// One branch: how it is, what it runs by, and who changed what.
import { Alert, Anchor, Badge, Box, Button, Card, Group, Skeleton, Stack, Switch, Tabs, Text, Title, Tooltip } from '@mantine/core';
import { IconAlertCircle, IconArrowLeft, IconCircleCheck, IconClockHour4, IconCloudUpload, IconEye, IconMapPinOff, IconPlug } from '@tabler/icons-react';
import { Refusal } from '@shared/api';
import { AgentsEditor } from '@shared/edit/agents';
import { byDoc } from '@shared/edit/changes';
import type { Place } from '@shared/edit/editing';
import { useWho } from '@shared/history/fields';
import { HoursEditor } from '@shared/edit/hours';
import { DispositionsEditor, PausesEditor } from '@shared/edit/labels';
import { QueuesEditor } from '@shared/edit/queues';
import { FindingsSummary } from '@shared/edit/summary';
import type { Blame } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { blame, change, config, type Me, type SiteConfig } from '../api';
import { LinkState } from '../sites/parts';
import { useSites } from '../sites/sites';
import { EnrolDialog } from './enrol';
import { HistoryList } from './history';
import { Merge } from './merge';
import { FlowsEditor } from '../flows/flows';
import { NumbersEditor } from './numbers';
import { Overview } from './overview';
import { DiallingEditor } from './dialling';
import { PlacesEditor } from './places';
import { TrunksEditor } from './trunks';

/** Tabs whose fields can say who set them. */
const EDITORS: readonly string[] = ['queues', 'agents', 'hours', 'numbers', 'trunks', 'dialling', 'places'];

/** The newest word at a path or below it. */
function newest(said: readonly Blame[], path: string): Blame | undefined {
  const under = said.filter((each) => each.path === path || each.path.startsWith(`${path}/`));
  return under.reduce<Blame | undefined>((best, each) => (best === undefined || each.written > best.written ? each : best), undefined);
}

export default function SitePage({ me }: { me: Me }) {
  const { site = '', tab = 'overview' } = useParams();
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const then = Number(search.get('at')) || null;
  const found = useQuery({ queryKey: ['site', site, 'config', then], queryFn: () => config(site, then), refetchInterval: then === null ? 10_000 : false });
  if (found.isPending)
    return <Card><Stack role="status" aria-label={t('loading')}>{Array.from({ length: 6 }, (_, n) => <Skeleton key={n} height={26} />)}</Stack></Card>;
  if (found.isError && found.data === undefined) {
    const missing = found.error instanceof Refusal && found.error.status === 404;
    return missing ? (
      <Card>
        <Empty icon={<IconMapPinOff size={24} />} title={t('site.notFound')} action={<Button component={Link} to="/sites" variant="light">{t('site.toList')}</Button>}>{t('site.notFoundText')}</Empty>
      </Card>
    ) : (
      <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
        <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
      </Alert>
    );
  }
  return <Found key={site} id={site} tab={tab} me={me} found={found.data} then={then} />;
}

/** `then`: how it was at that moment; null: as it is. */
function Found({ id, tab, me, found, then }: { id: string; tab: string; me: Me; found: SiteConfig; then: number | null }) {
  const { t } = useTranslation();
  const go = useNavigate();
  const sites = useSites();
  const [enrolling, setEnrolling] = useState(false);
  const line = sites.data?.find((each) => each.site === id);
  const readOnly = !me.may.includes('change_configuration') || then !== null;
  const [asking, setAsking] = useState(false);
  const said = useQuery({ queryKey: ['site', id, 'blame'], queryFn: () => blame(id), enabled: asking });
  const { when } = useWho(found.config.site.time_zone);
  const place: Place = {
    config: found.config,
    findings: found.findings,
    side: 'centre',
    readOnly,
    said: asking && said.data ? (path) => newest(said.data, path) : undefined,
    sites: sites.data ?? [],
    apply: async (changes) => {
      try {
        for (const run of byDoc(changes)) await change(id, run.doc, run.changes);
      } finally {
        await queries.invalidateQueries({ queryKey: ['site', id] });
        void queries.invalidateQueries({ queryKey: ['sites'] });
      }
    },
  };
  const tabs = [
    ['overview', t('site.overview')],
    ['queues', t('queue.title')],
    ['agents', t('agent.title')],
    ['hours', t('hours.title')],
    ['pauses', t('pause.title')],
    ['dispositions', t('disposition.title')],
    ['flows', t('flows.title')],
    ['numbers', t('site.numbers')],
    ['trunks', t('site.trunks')],
    ['dialling', t('site.dialling')],
    ['places', t('places.title')],
    ['merge', t('merge.title')],
    ['history', t('site.history')],
  ] as const;
  return (
    <>
      <Anchor component={Link} to="/sites" size="sm" c="dimmed"><Group gap={4} component="span"><IconArrowLeft size={15} aria-hidden />{t('site.toList')}</Group></Anchor>
      <Group justify="space-between" align="flex-start" mt={6} mb="lg" gap="md">
        <Box>
          <Group gap="sm">
            <Title order={1} size="h3">{found.config.site.label}</Title>
            {line && <LinkState site={line} />}
          </Group>
          <Text size="sm" c="dimmed">{id}</Text>
        </Box>
        <Group gap="sm">
          {found.pending ? (
            <Tooltip label={t('site.pendingHint')} multiline maw={280}>
              <Badge size="lg" variant="light" color="yellow" tt="none" tabIndex={0} leftSection={<IconCloudUpload size={15} aria-hidden />} role="status">{t('site.pending')}</Badge>
            </Tooltip>
          ) : (
            <Badge size="lg" variant="light" color="green" tt="none" leftSection={<IconCircleCheck size={15} aria-hidden />} role="status">{t('site.applied')}</Badge>
          )}
          {EDITORS.includes(tab) && then === null && <Switch label={t('site.whoSet')} checked={asking} onChange={(event) => setAsking(event.currentTarget.checked)} />}
          {!readOnly && <Button variant="default" leftSection={<IconPlug size={16} />} onClick={() => setEnrolling(true)}>{t('site.enrol')}</Button>}
        </Group>
      </Group>
      {then !== null && (
        <Alert color="blue" variant="light" radius="lg" mb="lg" icon={<IconClockHour4 size={18} />} role="status">
          <Group justify="space-between">{t('site.then', { when: when(then) })}<Button component={Link} to={`/sites/${id}/${tab}`} size="xs" variant="default">{t('site.toNow')}</Button></Group>
        </Alert>
      )}
      {readOnly && then === null && <Alert color="gray" variant="light" radius="lg" mb="lg" icon={<IconEye size={18} />}>{t('site.readOnly')}</Alert>}
      <FindingsSummary findings={found.findings} />
      <Tabs value={tab} onChange={(next) => void go(`/sites/${id}/${next ?? 'overview'}${then === null ? '' : `?at=${then}`}`)} keepMounted={false}>
        <Tabs.List mb="lg" className="tabs-scroll">
          {tabs.map(([value, label]) => <Tabs.Tab key={value} value={value}>{label}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value="overview"><Overview line={line} place={place} groups={me.may.includes('group_sites')} enrol={readOnly ? undefined : () => setEnrolling(true)} /></Tabs.Panel>
        <Tabs.Panel value="queues"><QueuesEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="agents"><AgentsEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="hours"><HoursEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="pauses"><PausesEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="dispositions"><DispositionsEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="flows"><FlowsEditor site={id} place={place} /></Tabs.Panel>
        <Tabs.Panel value="numbers"><NumbersEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="trunks"><TrunksEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="dialling"><DiallingEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="places"><PlacesEditor place={place} /></Tabs.Panel>
        <Tabs.Panel value="merge"><Merge site={id} config={found.config} readOnly={readOnly} /></Tabs.Panel>
        <Tabs.Panel value="history"><HistoryList site={id} config={found.config} readOnly={readOnly} /></Tabs.Panel>
      </Tabs>
      {enrolling && <EnrolDialog site={id} label={found.config.site.label} close={() => setEnrolling(false)} />}
    </>
  );
}
