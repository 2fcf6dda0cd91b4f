// One conversation: what was said, and what one says. Words are text, whatever is in them.
import { Alert, Box, Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { IconArrowLeft, IconSend } from '@tabler/icons-react';
import { Refusal } from '@shared/api';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CHAT_CHARS_MAX, messages, readUpTo, say } from './api';
import type { ChatProps } from './chat';
import { useRoomName } from './rooms';
import { useChatWords } from './words';

export function Conversation(props: Omit<ChatProps, 'said'> & { room: string; leave: () => void }) {
  const { me, agents, room, leave } = props;
  const { t, i18n } = useTranslation();
  const w = useChatWords();
  const name = useRoomName(props);
  const known = useQueryClient();
  const end = useRef<HTMLDivElement>(null);
  const found = useInfiniteQuery({
    queryKey: ['chat', me.agent, room],
    queryFn: ({ pageParam }) => messages(room, pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.more ? (last.messages[0]?.n ?? null) : null),
  });
  const said = (found.data?.pages ?? []).toReversed().flatMap((page) => page.messages);
  const last = said.at(-1)?.n ?? 0;
  // Read is what is seen: the last of it, on a page that somebody looks at.
  useEffect(() => {
    if (last === 0) return;
    end.current?.scrollIntoView({ block: 'end' });
    const seen = () => {
      if (!document.hidden) void readUpTo(room, last).then(() => known.invalidateQueries({ queryKey: ['chat', me.agent], exact: true }), () => {});
    };
    seen();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [known, last, me.agent, room]);
  const who = (agent: string) => (agent === me.agent ? w.you : (agents.find((line) => line.agent === agent)?.badge ?? agent));
  return (
    <Stack gap="sm" className="chat-conversation">
      <Group gap="xs" wrap="nowrap"><Button size="xs" variant="subtle" leftSection={<IconArrowLeft size={16} />} onClick={leave}>{w.back}</Button><Text fw={600} truncate>{name(room)}</Text></Group>
      <Box className="chat-said" tabIndex={0} role="log" aria-label={name(room)}>
        {found.hasNextPage && <Group justify="center" mb="xs"><Button size="xs" variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{w.older}</Button></Group>}
        {found.isError && <Alert color="red" variant="light">{refusalText(t, found.error)}</Alert>}
        {found.isSuccess && said.length === 0 && <Text size="sm" c="dimmed">{w.empty}</Text>}
        {said.map((message) => (
          <Box key={message.n} className="chat-message" data-own={message.by === me.agent || undefined}>
            <Text size="xs" c="dimmed">{who(message.by)} · {dayAndTime(message.at, i18n.language, me.site.time_zone)}</Text>
            <Text size="sm" className="chat-text">{message.text}</Text>
          </Box>
        ))}
        <div ref={end} />
      </Box>
      <Say room={room} sent={() => void known.invalidateQueries({ queryKey: ['chat'] })} />
    </Stack>
  );
}

/** What was typed and not sent, by room, for when one is back. */
const typed = new Map<string, string>();

function Say({ room, sent }: { room: string; sent: () => void }) {
  const { t } = useTranslation();
  const w = useChatWords();
  const [text, setText] = useState(typed.get(room) ?? '');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const type = (next: string) => {
    setText(next);
    if (next === '') typed.delete(room);
    else typed.set(room, next);
  };
  async function send() {
    if (text.trim() === '' || busy) return;
    setBusy(true);
    setFailed(null);
    try {
      await say(room, text);
      type('');
      sent();
    } catch (error) {
      setFailed(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      void send();
    }}>
      {failed !== null && <Alert color="orange" variant="light" role="alert" mb="xs">{failed instanceof Refusal && failed.code === 'too_fast' ? w.tooFast : refusalText(t, failed)}</Alert>}
      <Textarea
        label={w.say} description={w.sayHint} value={text} maxLength={CHAT_CHARS_MAX} minRows={2} maxRows={6} autosize data-autofocus
        onChange={(event) => type(event.currentTarget.value)}
        onKeyDown={(event) => {
          // A word that is being composed (Chinese input) is not sent by the key that ends it.
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      <Group justify="flex-end" mt="xs"><Button type="submit" leftSection={<IconSend size={16} />} loading={busy} disabled={text.trim() === ''}>{w.send}</Button></Group>
    </form>
  );
}
