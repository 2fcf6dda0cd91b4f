// The queues as they are at this moment.
import { Alert, Badge, Box, Card, Group, Progress, Stack, Text, Tooltip } from '@mantine/core';
import { IconDoorOff, IconUsersGroup } from '@tabler/icons-react';
import { clock, permille } from '@shared/format';
import { Empty } from '@shared/ui/bits';
import { Suspense, lazy, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueueLine } from '../api';
import { useAge } from '../clock';
import type { FloorProps } from './floor';
import { Old } from './old';

// For supervisors.
const QueueSwitch = lazy(() => import('./intake').then((intake) => ({ default: intake.QueueSwitch })));
const SiteSwitch = lazy(() => import('./intake').then((intake) => ({ default: intake.SiteSwitch })));

export function Queues({ me, board, at, live }: FloorProps) {
  const { t } = useTranslation();
  const { grown, old } = useAge(at);
  const supervisor = me.role === 'supervisor';
  return (
    <Card component="section" aria-labelledby="queues-now">
      <Group justify="space-between" mb="sm" gap="xs">
        <Text component="h2" id="queues-now" fw={600}>{t('board.queues')}</Text>
        {supervisor && board.queues.length > 0 && <Suspense fallback={null}><SiteSwitch board={board} live={live} /></Suspense>}
      </Group>
      {board.closed && <Alert color="red" variant="light" mb="sm" icon={<IconDoorOff size={18} />}>{t('intake.siteIsClosed')}</Alert>}
      {board.queues.length === 0 ? (
        <Empty icon={<IconUsersGroup size={24} />} title={t('board.none')}>{t('board.noneText')}</Empty>
      ) : (
        <Stack gap={0}>
          {board.queues.map((line) => <Line key={line.queue} line={line} age={grown} old={old}>{supervisor && <Suspense fallback={null}><QueueSwitch line={line} live={live} /></Suspense>}</Line>)}
        </Stack>
      )}
    </Card>
  );
}

function Line({ line, age, old, children }: { line: QueueLine; age: number; old: number | null; children: ReactNode }) {
  const { t } = useTranslation();
  const level = line.service_level_permille;
  const waits = line.waiting > 0;
  const color = level === null ? 'gray' : level >= 800 ? 'green' : level >= 600 ? 'yellow' : 'red';
  return (
    <Box className="queue-line" data-old={old !== null || undefined}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Group gap="xs" wrap="nowrap" miw={0}>
          <Text fw={600} size="sm" truncate>{line.label}</Text>
          <IntakeBadge intake={line.intake} />
        </Group>
        <Tooltip label={t('board.levelHint')}>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>{t('board.level')} <Text span inherit fw={600} c="var(--mantine-color-text)">{permille(level)}</Text> <Old ms={old} /></Text>
        </Tooltip>
      </Group>
      <Progress value={level === null ? 0 : level / 10} color={`${color}.7`} size={4} my={8} aria-label={`${t('board.level')} ${line.label}`} />
      <div className="queue-figures">
        <Cell label={t('board.waiting')} value={String(line.waiting)} hot={waits} old={old} />
        <Cell label={t('board.longest')} value={waits ? clock(line.longest_wait_ms + age) : '–'} hot={waits} old={old} />
        <Cell label={t('board.ready')} value={String(line.ready)} hot={false} old={old} />
        <Cell label={t('board.talking')} value={String(line.talking)} hot={false} old={old} />
      </div>
      {children && <Box mt={8}>{children}</Box>}
      {line.callbacks > 0 && <Text size="xs" c="dimmed" mt={4}>{t('board.callbacks', { count: line.callbacks })} <Old ms={old} /></Text>}
      {line.expected_wait_ms !== null && (
        <Text size="xs" c="dimmed" mt={4}>{t('board.expected', { wait: clock(line.expected_wait_ms), error: clock(line.expected_wait_error_ms ?? 0) })} <Old ms={old} /></Text>
      )}
    </Box>
  );
}

/** Why a queue takes nobody, for everybody to see. */
function IntakeBadge({ intake }: { intake: QueueLine['intake'] }) {
  const { t } = useTranslation();
  if (intake === 'open') return null;
  return <Badge size="sm" variant="light" color={intake === 'closed' ? 'red' : 'gray'} tt="none" style={{ flex: 'none' }}>{t(`intake.${intake}`)}</Badge>;
}

function Cell({ label, value, hot, old }: { label: string; value: string; hot: boolean; old: number | null }) {
  return (
    <Box>
      <Text size="xs" c="dimmed">{label}</Text>
      <Text fz="xl" fw={650} lh={1.2} c={hot ? 'var(--mantine-color-orange-text)' : undefined}>{value}</Text>
      <Text fz={11} lh={1.3}><Old ms={old} /></Text>
    </Box>
  );
}
