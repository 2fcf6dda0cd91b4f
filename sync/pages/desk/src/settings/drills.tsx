// Outage drills of this branch: the one that is ordered, and what came of those that ran.
import { Alert, Button, Card, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertCircle, IconPlugConnectedX, IconPlus } from '@tabler/icons-react';
import { OrderDrill } from '@shared/drills/order';
import { DrillReportCard } from '@shared/drills/report';
import { fill, useWords } from '@shared/drills/words';
import { dayAndTime } from '@shared/format';
import type { Drill } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { change, drills as ask } from '../api';

const LIVE_MS = 5_000;
const MINUTE_MS = 60_000;

export function Drills({ zone }: { zone: string }) {
  const { t } = useTranslation();
  const words = useWords();
  const [ordering, dialog] = useDisclosure(false);
  const found = useQuery({ queryKey: ['drills'], queryFn: ask, refetchInterval: LIVE_MS });
  const order = useMutation({
    mutationFn: (drill: Drill | null) => change([{ set: 'site_drill', drill }]),
    onSuccess: dialog.close,
    onSettled: () => queries.invalidateQueries({ queryKey: ['drills'] }),
  });
  if (found.isPending) return <Card><Skeleton height={80} role="status" aria-label={t('loading')} /></Card>;
  if (found.isError)
    return (
      <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
        <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
      </Alert>
    );
  const { ordered, reports } = found.data;
  const standing = ordered !== null && ordered.at + ordered.minutes * MINUTE_MS > Date.now() ? ordered : null;
  return (
    <Stack gap="lg">
      {order.isError && !ordering && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, order.error)}</Alert>}
      <Card>
        <Group justify="space-between" gap="md">
          <div><Text fw={600}>{words.title}</Text><Text size="sm" c="dimmed" maw={640}>{words.note}</Text></div>
          {standing === null
            ? <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={dialog.open}>{words.order}</Button>
            : <Standing drill={standing} zone={zone} waits={order.isPending} end={() => order.mutate(null)} />}
        </Group>
      </Card>
      {reports.length === 0
        ? <Card><Empty icon={<IconPlugConnectedX size={24} />} title={words.noReports}>{words.noReportsText}</Empty></Card>
        : reports.map((report) => <DrillReportCard key={report.drill.at} report={report} outcome={report.outcome} zone={zone} />)}
      {ordering && <OrderDrill order={({ at, minutes }) => order.mutate({ at: at ?? Date.now(), minutes })} close={dialog.close} waits={order.isPending} error={order.error} />}
    </Stack>
  );
}

/** Once it is over by itself, the report says so. */
function Standing({ drill, zone, waits, end }: { drill: Drill; zone: string; waits: boolean; end: () => void }) {
  const { i18n } = useTranslation();
  const words = useWords();
  const begun = drill.at <= Date.now();
  const until = dayAndTime(drill.at + drill.minutes * MINUTE_MS, i18n.language, zone);
  return (
    <Group gap="md">
      <Text size="sm" fw={600} role="status">{begun ? fill(words.running, { at: until }) : fill(words.orderedFor, { at: dayAndTime(drill.at, i18n.language, zone), minutes: drill.minutes })}</Text>
      <Button color="red" variant="light" loading={waits} onClick={end}>{begun ? words.end : words.callOff}</Button>
    </Group>
  );
}
