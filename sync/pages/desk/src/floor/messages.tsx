// What callers have left for my queues: heard here, called back, and dealt with once.
import { ActionIcon, Alert, Box, Card, Group, Stack, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconPhone, IconPlayerPlayFilled } from '@tabler/icons-react';
import { clock, day, phone, timeOfDay } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Queries } from '@shared/ui/queries';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { messageDone, messages, wavOf, type Message } from '../api';
import type { FloorProps } from './floor';

export default function MessagesCard(props: FloorProps) {
  return <Queries><Messages {...props} /></Queries>;
}

function Messages({ me, own, board, live, ask }: FloorProps) {
  const { t, i18n } = useTranslation();
  const [playing, setPlaying] = useState<string | null>(null);
  const client = useQueryClient();
  // Read again when somebody has left one, or dealt with one.
  const count = board.queues.reduce((sum, line) => sum + line.messages, 0);
  const found = useQuery({ queryKey: ['messages', me.agent, count], queryFn: messages, placeholderData: (before) => before });
  const done = useMutation({
    mutationFn: messageDone,
    onSettled: () => client.invalidateQueries({ queryKey: ['messages'] }),
  });
  const open = (found.data?.messages ?? []).filter((message) => message.done_at === null);
  if (open.length === 0 && !found.isError) return null;
  const queue = (id: string) => board.queues.find((line) => line.queue === id)?.label ?? id;
  const caller = (message: Message) => (message.caller === null || message.caller.number === '' ? t('call.withheld') : phone(message.caller.number));
  const when = (at: number) => `${day(at, i18n.language, me.site.time_zone)} ${timeOfDay(at, i18n.language, me.site.time_zone)}`;
  const free = own !== null && (own.state === 'ready' || own.state === 'not_ready');
  return (
    <Card component="section" aria-labelledby="messages">
      <Text component="h2" id="messages" fw={600} mb="xs">{t('messages.title', { count: open.length })}</Text>
      {found.isError && <Alert color="red" variant="light">{refusalText(t, found.error)}</Alert>}
      {done.isError && <Alert color="orange" variant="light" mb="xs" withCloseButton onClose={() => done.reset()}>{refusalText(t, done.error)}</Alert>}
      <Stack gap={0} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {open.map((message) => (
          <Box component="li" key={message.recording} py={8} className="colleague">
            <Group justify="space-between" gap="sm" wrap="nowrap">
              <Box miw={0}>
                <Text size="sm" fw={500} truncate>{caller(message)}{message.caller?.name && ` · ${message.caller.name}`}</Text>
                <Text size="xs" c="dimmed" truncate>{queue(message.queue)} · {when(message.at)}{message.ms !== null && ` · ${clock(message.ms)}`}</Text>
              </Box>
              <Group gap={6} wrap="nowrap">
                <Tooltip label={t('messages.play')}>
                  <ActionIcon variant={playing === message.recording ? 'filled' : 'light'} aria-label={t('messages.playOf', { caller: caller(message) })} onClick={() => setPlaying(message.recording)}><IconPlayerPlayFilled size={14} /></ActionIcon>
                </Tooltip>
                {own !== null && message.caller !== null && message.caller.number !== '' && (
                  <Tooltip label={t('messages.call')}>
                    <ActionIcon variant="light" color="green" disabled={!live || !free} aria-label={t('messages.callOf', { caller: caller(message) })} onClick={() => void ask({ ask: 'dial', number: message.caller?.number ?? '' })}><IconPhone size={16} /></ActionIcon>
                  </Tooltip>
                )}
                <Tooltip label={t('messages.done')}>
                  <ActionIcon variant="subtle" color="gray" loading={done.isPending && done.variables === message.recording} aria-label={t('messages.doneOf', { caller: caller(message) })} onClick={() => done.mutate(message.recording)}><IconCheck size={16} /></ActionIcon>
                </Tooltip>
              </Group>
            </Group>
            {playing === message.recording && <audio controls autoPlay src={wavOf(message.recording)} style={{ width: '100%', height: 36, marginTop: 6 }} aria-label={t('messages.playOf', { caller: caller(message) })} />}
          </Box>
        ))}
      </Stack>
    </Card>
  );
}
