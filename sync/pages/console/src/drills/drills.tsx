// Outage drills of all branches: what is ordered, and what came of those that ran.
import { Alert, Badge, Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertCircle, IconPlugConnectedX, IconPlus } from '@tabler/icons-react';
import { OrderDrill, type Wanted } from '@shared/drills/order';
import { DrillReportCard } from '@shared/drills/report';
import { fill, useWords } from '@shared/drills/words';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Me } from '../api';
import { useSites } from '../sites/sites';
import { callOffDrill, drills as ask, orderDrill, type OrderedDrill } from './api';

const LIVE_MS = 5_000;

export default function DrillsPage({ me }: { me: Me }) {
  const { t } = useTranslation();
  const words = useWords();
  const [ordering, dialog] = useDisclosure(false);
  const found = useQuery({ queryKey: ['drills'], queryFn: ask, refetchInterval: LIVE_MS });
  const sites = useSites();
  const may = me.may.includes('drill');
  const again = () => queries.invalidateQueries({ queryKey: ['drills'] });
  const order = useMutation({ mutationFn: ({ site, at, minutes }: Wanted) => orderDrill(site ?? '', at, minutes), onSuccess: dialog.close, onSettled: again });
  const labels = (sites.data ?? []).map((site) => ({ value: site.site, label: site.label }));
  return (
    <>
      <Heading title={words.title} note={words.note}>
        {may && <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={dialog.open}>{words.order}</Button>}
      </Heading>
      {found.isError && (
        <Alert color="red" variant="light" mb="lg" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      {found.isPending && <Card><Stack role="status" aria-label={t('loading')}>{Array.from({ length: 4 }, (_, n) => <Skeleton key={n} height={24} />)}</Stack></Card>}
      {found.data && (
        <Stack gap="xl">
          {found.data.ordered.length > 0 && (
            <section aria-labelledby="ordered">
              <Title order={2} size="h4" id="ordered" mb="sm">{words.ordered}</Title>
              <Card padding={0}><Stack gap={0} component="ul" className="plain-list">{found.data.ordered.map((one) => <Ordered key={one.site} one={one} may={may} again={again} />)}</Stack></Card>
            </section>
          )}
          <section aria-labelledby="reports">
            <Title order={2} size="h4" id="reports" mb="sm">{words.reports}</Title>
            {found.data.reports.length === 0
              ? <Card><Empty icon={<IconPlugConnectedX size={24} />} title={words.noReports}>{words.noReportsText}</Empty></Card>
              : <Stack>{found.data.reports.map((one) => <DrillReportCard key={`${one.box}-${one.report.drill.at}`} report={one.report} outcome={one.outcome} place={one.label} judged={one} />)}</Stack>}
          </section>
        </Stack>
      )}
      {ordering && <OrderDrill sites={labels} order={order.mutate} close={dialog.close} waits={order.isPending} error={order.error} />}
    </>
  );
}

function Ordered({ one, may, again }: { one: OrderedDrill; may: boolean; again: () => void }) {
  const { t, i18n } = useTranslation();
  const words = useWords();
  const off = useMutation({ mutationFn: () => callOffDrill(one.site), onSettled: again });
  const begun = one.drill.at <= Date.now();
  return (
    <li className="history-line">
      <Group justify="space-between" gap="md">
        <div>
          <Group gap="sm">
            <Text component={Link} to={`/sites/${one.site}`} size="sm" fw={600} c="inherit">{one.label}</Text>
            {one.apart && <Badge variant="light" color="blue" tt="none" leftSection={<IconPlugConnectedX size={13} aria-hidden />}>{fill(words.running, { at: dayAndTime(one.until, i18n.language) })}</Badge>}
          </Group>
          <Text size="sm" c="dimmed">{fill(words.orderedFor, { at: dayAndTime(one.drill.at, i18n.language), minutes: one.drill.minutes })}</Text>
          {off.isError && <Text size="sm" c="var(--mantine-color-red-text)" role="alert">{refusalText(t, off.error)}</Text>}
        </div>
        {begun && <Text size="sm" c="dimmed">{words.ends}</Text>}
        {may && <Button size="xs" variant="default" loading={off.isPending} onClick={() => off.mutate()} aria-label={`${words.callOff}: ${one.label}`}>{words.callOff}</Button>}
      </Group>
    </li>
  );
}
