// The house's own chat: a button with what is not read, and the conversations beside the page.
import '@mantine/core/styles/Drawer.css';
import './chat.css';
import { ActionIcon, Box, Drawer, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconMessages } from '@tabler/icons-react';
import { Queries } from '@shared/ui/queries';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine, ChatMessage, Me, QueueLine } from '../api';
import { rooms } from './api';
import { Conversation } from './conversation';
import { Rooms } from './rooms';
import { useChatWords } from './words';

export interface ChatProps {
  me: Me;
  agents: readonly AgentLine[];
  queues: readonly QueueLine[];
  /** What was said last while this page looked; null: more than it could take, or nothing yet. */
  said: ChatMessage | null;
}

/** A toast holds so much of a message. */
const TOAST_CHARS = 120;

export default function ChatPlace(props: ChatProps) {
  return <Queries><Chat {...props} /></Queries>;
}

function Chat({ said, ...props }: ChatProps) {
  const { t } = useTranslation();
  const w = useChatWords();
  const known = useQueryClient();
  const [opened, setOpened] = useState(false);
  const [room, setRoom] = useState<string | null>(null);
  const found = useQuery({ queryKey: ['chat', props.me.agent], queryFn: rooms, refetchInterval: 60_000 });
  const unread = (found.data?.rooms ?? []).reduce((sum, one) => sum + one.unread, 0);
  // Who looks at the conversations needs no toast.
  const looks = useRef(opened);
  looks.current = opened;
  const { agents, me } = props;
  const names = useRef(agents);
  names.current = agents;
  useEffect(() => {
    void known.invalidateQueries({ queryKey: ['chat'] });
    if (said === null || said.by === me.agent || looks.current) return;
    const who = names.current.find((line) => line.agent === said.by)?.badge ?? said.by;
    const text = said.text.length > TOAST_CHARS ? `${said.text.slice(0, TOAST_CHARS)}…` : said.text;
    notifications.show({ id: said.room, title: who, message: text, autoClose: 8_000, closeButtonProps: { 'aria-label': t('close') } });
  }, [said, known, me.agent, t]);
  const open = () => {
    for (const one of found.data?.rooms ?? []) notifications.hide(one.room);
    setOpened(true);
  };
  const label = unread > 0 ? `${w.open}: ${unread} ${w.unread}` : w.open;
  return (
    <>
      <Tooltip label={label}>
        <ActionIcon variant="subtle" color="gray" size="lg" className="chat-open" aria-label={label} onClick={open}>
          <IconMessages size={20} />
          {unread > 0 && <Box component="span" className="chat-count" aria-hidden>{unread > 99 ? '99+' : unread}</Box>}
        </ActionIcon>
      </Tooltip>
      <Drawer opened={opened} onClose={() => setOpened(false)} position="right" size={420} title={w.title} closeButtonProps={{ 'aria-label': t('close') }}>
        {room === null
          ? <Rooms {...props} found={found.data ?? null} enter={setRoom} />
          : <Conversation key={room} {...props} room={room} leave={() => setRoom(null)} />}
      </Drawer>
    </>
  );
}
