// Whom one may write to: conversations first, then everybody else.
import { Badge, Group, Stack, Text, UnstyledButton } from '@mantine/core';
import { dayAndTime } from '@shared/format';
import { useTranslation } from 'react-i18next';
import { placeOf, two, type ChatRoom } from './api';
import type { ChatProps } from './chat';
import { useChatWords } from './words';

export function useRoomName({ me, agents, queues }: Omit<ChatProps, 'said'>) {
  const w = useChatWords();
  const badge = (agent: string) => agents.find((line) => line.agent === agent)?.badge ?? agent;
  return (room: string) => {
    const place = placeOf(room, me.agent);
    if (place.is === 'two') return badge(place.other);
    if (place.is === 'queue') return queues.find((line) => line.queue === place.queue)?.label ?? place.queue;
    return place.of === me.agent ? w.supervisors : `${w.supervisorsOf} ${badge(place.of)}`;
  };
}

export function Rooms(props: Omit<ChatProps, 'said'> & { found: { rooms: ChatRoom[]; queues: string[] } | null; enter: (room: string) => void }) {
  const { me, agents, found, enter } = props;
  const { i18n } = useTranslation();
  const w = useChatWords();
  const name = useRoomName(props);
  const talked = found?.rooms ?? [];
  const fresh = (room: string) => talked.every((one) => one.room !== room);
  const others = [
    { title: w.queues, rooms: [...(found?.queues ?? []).map((queue) => `queue.${queue}`), ...(me.role === 'agent' ? [`supervisors.${me.agent}`] : [])].filter(fresh) },
    { title: w.colleagues, rooms: agents.filter((line) => line.agent !== me.agent).map((line) => two(me.agent, line.agent)).filter(fresh) },
  ];
  return (
    <Stack gap="xs">
      <Text size="xs" c="dimmed">{w.hint}</Text>
      {talked.map(({ room, last, unread }) => (
        <UnstyledButton key={room} className="chat-room" data-unread={unread > 0 || undefined} onClick={() => enter(room)}>
          <Group justify="space-between" wrap="nowrap" gap="xs">
            <Text size="sm" fw={unread > 0 ? 700 : 500} truncate>{name(room)}</Text>
            <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>{dayAndTime(last.at, i18n.language, me.site.time_zone)}</Text>
          </Group>
          <Group justify="space-between" wrap="nowrap" gap="xs">
            <Text size="xs" c="dimmed" truncate>{last.by === me.agent ? `${w.you}: ` : ''}{last.text}</Text>
            {unread > 0 && <Badge size="sm" tt="none">{unread}<span className="visually-hidden"> {w.unread}</span></Badge>}
          </Group>
        </UnstyledButton>
      ))}
      {others.map(({ title, rooms }) => rooms.length > 0 && (
        <div key={title} role="group" aria-label={title}>
          <Text className="quiet-caps" mt="xs" mb={4}>{title}</Text>
          {rooms.map((room) => <UnstyledButton key={room} className="chat-room" onClick={() => enter(room)}><Text size="sm">{name(room)}</Text></UnstyledButton>)}
        </div>
      ))}
    </Stack>
  );
}
