// Who else works here, and what they are doing. A supervisor also sees with whom.
import { Badge, Box, Card, Group, Stack, Text, Tooltip } from '@mantine/core';
import { IconPhoneOff } from '@tabler/icons-react';
import { clock, phone } from '@shared/format';
import type { AgentState } from '@shared/model';
import { Suspense, lazy, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine } from '../api';
import { useAge } from '../clock';
import type { FloorProps } from './floor';
import { Old } from './old';
import { pauseText } from './pause';
import { STATE_COLOR } from './state';

// For supervisors.
const MonitorButtons = lazy(() => import('./monitor').then((monitor) => ({ default: monitor.MonitorButtons })));

const ORDER: Record<AgentState, number> = { ready: 0, offered: 1, talking: 2, wrap_up: 3, not_ready: 4, signed_out: 5 };

export function Colleagues({ me, board, own, at, live, ask }: FloorProps) {
  const { t } = useTranslation();
  const { grown, old } = useAge(at);
  const others = board.agents
    .filter((line) => line.agent !== own?.agent)
    .sort((a, b) => ORDER[a.state] - ORDER[b.state] || a.badge.localeCompare(b.badge));
  return (
    <Card component="section" aria-labelledby="colleagues">
      <Text component="h2" id="colleagues" fw={600} mb="xs">{t('board.colleagues')}</Text>
      {others.length === 0 && <Text size="sm" c="dimmed">{t('board.colleaguesNone')}</Text>}
      <Stack gap={0} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {others.map((line) => (
          <Line key={line.agent} line={line} why={pauseText(t, board, line.pause)} age={grown} old={old}>
            {me.role === 'supervisor' && own !== null && line.state === 'talking' && <Suspense fallback={null}><MonitorButtons line={line} by={me.agent} live={live} ask={ask} /></Suspense>}
          </Line>
        ))}
      </Stack>
    </Card>
  );
}

function Line({ line, why, age, old, children }: { line: AgentLine; why: string | null; age: number; old: number | null; children: ReactNode }) {
  const { t } = useTranslation();
  const out = line.state === 'signed_out';
  return (
    <Group component="li" justify="space-between" gap="sm" wrap="nowrap" py={8} className="colleague" data-old={old !== null || undefined}>
      <Box miw={0}>
        <Group gap={6} wrap="nowrap">
          <Text size="sm" fw={500} truncate c={out ? 'dimmed' : undefined}>{line.badge}</Text>
          {line.phone && <Text size="xs" c="dimmed">{line.phone}</Text>}
          {!out && !line.phone_registered && (
            <Tooltip label={t('board.phoneOff')}>
              <IconPhoneOff size={14} role="img" aria-label={t('board.phoneOff')} color="var(--mantine-color-yellow-text)" />
            </Tooltip>
          )}
        </Group>
        {why !== null && <Text size="xs" c="dimmed" truncate>{why}</Text>}
        {line.contact && <Text size="xs" c="dimmed" truncate>{phone(line.contact.caller_number)}</Text>}
      </Box>
      <Group gap="xs" wrap="nowrap">
        {children}
        {!out && <Text size="sm" c="dimmed">{clock(line.since_ms + age)} <Old ms={old} /></Text>}
        <Badge variant="light" color={STATE_COLOR[line.state]} tt="none" fw={600} miw={92}>{t(`state.${line.state}`)}</Badge>
      </Group>
    </Group>
  );
}
