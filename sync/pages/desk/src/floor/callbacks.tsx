// Who is called back, and when. For supervisors.
import { ActionIcon, Badge, Box, Card, Group, Stack, Text, Tooltip } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { clock, phone } from '@shared/format';
import { useTranslation } from 'react-i18next';
import type { CallbackLine } from '../api';
import { useAge } from '../clock';
import type { FloorProps } from './floor';
import { Old } from './old';

export default function Callbacks({ board, at, live, ask }: FloorProps) {
  const { t } = useTranslation();
  const { grown: age, old } = useAge(at);
  const queue = (id: string) => board.queues.find((line) => line.queue === id)?.label ?? id;
  const badge = (id: string) => board.agents.find((line) => line.agent === id)?.badge ?? id;
  const how = (line: CallbackLine) =>
    line.agent !== null ? t('callbacks.called', { badge: badge(line.agent) })
    : line.later_ms !== null ? t('callbacks.later', { left: clock(Math.max(0, line.later_ms - age)) })
    : t('callbacks.waits');
  return (
    <Card component="section" aria-labelledby="callbacks">
      <Text component="h2" id="callbacks" fw={600} mb="xs">{t('callbacks.title')}</Text>
      <Stack gap={0} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {board.callbacks.map((line) => (
          <Group component="li" key={line.contact} justify="space-between" gap="sm" wrap="nowrap" py={8} className="colleague">
            <Box miw={0}>
              <Text size="sm" fw={500} truncate>{phone(line.number)}{line.name !== null && ` · ${line.name}`}</Text>
              <Text size="xs" c="dimmed" truncate>{queue(line.queue)} · {t('callbacks.since', { ago: clock(line.ago_ms + age) })}{line.attempts > 0 && ` · ${t('callbacks.attempts', { count: line.attempts })}`} <Old ms={old} /></Text>
            </Box>
            <Group gap="xs" wrap="nowrap">
              <Badge variant="light" color={line.agent !== null ? 'blue' : line.later_ms !== null ? 'gray' : 'orange'} tt="none" fw={600}>{how(line)}</Badge>
              <Tooltip label={t('callbacks.strikeOff')}>
                <ActionIcon variant="subtle" color="gray" disabled={!live || line.agent !== null} aria-label={t('callbacks.strikeOffOf', { number: line.number })} onClick={() => void ask({ ask: 'strike_off', contact: line.contact })}><IconTrash size={16} /></ActionIcon>
              </Tooltip>
            </Group>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
