// What the same customer had before on this box, newest first.
import { ActionIcon, Badge, Box, Group, Text } from '@mantine/core';
import { IconPhoneIncoming, IconPhoneOutgoing, IconPlayerPlayFilled, IconUsers } from '@tabler/icons-react';
import { clock, dayAndTime } from '@shared/format';
import type { Direction } from '@shared/model';
import { Suspense, lazy, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine, Board, Earlier, Known, NoteLine } from '../api';
import { dispositionText } from '../contacts/disposition';
import { useWords } from './words';

const Player = lazy(() => import('../contacts/player').then((m) => ({ default: m.Player })));

const DIRECTION_ICON: Record<Direction, typeof IconUsers> = { inbound: IconPhoneIncoming, outbound: IconPhoneOutgoing, internal: IconUsers };

function badgeOf(agents: readonly AgentLine[], agent: string) {
  return agents.find((line) => line.agent === agent)?.badge ?? agent;
}

/** Notes as they were written: text, whatever is in it. */
export function Notes({ notes, agents }: { notes: readonly NoteLine[]; agents: readonly AgentLine[] }) {
  const w = useWords();
  return notes.map((note) => (
    <Text key={note.agent} size="sm" mt={4} className="note-text"><Text span size="xs" c="dimmed">{w.of} {badgeOf(agents, note.agent)}: </Text>{note.text}</Text>
  ));
}

export function History({ known, board, zone, withheld }: { known: Known; board: Board; zone: string; withheld: boolean }) {
  const { t, i18n } = useTranslation();
  const w = useWords();
  const [playing, setPlaying] = useState<Earlier | null>(null);
  if (known.earlier.length === 0) return <Text size="sm" c="dimmed">{withheld ? w.withheld : w.first}</Text>;
  return (
    <>
      <Box component="ul" m={0} p={0} className="history">
        {known.earlier.map((one) => {
          const Icon = DIRECTION_ICON[one.direction];
          const time = dayAndTime(one.arrived, i18n.language, zone);
          const queue = board.queues.find((line) => line.queue === one.queue)?.label ?? one.queue;
          const who = one.answered_at ? t('contacts.elsewhere', { site: one.answered_at }) : one.agent === null ? w.nobody : badgeOf(board.agents, one.agent);
          return (
            <Box component="li" key={one.contact} py={8}>
              <Group gap="xs" justify="space-between" wrap="nowrap" align="flex-start">
                <Group gap={8} miw={0}>
                  <Icon size={16} role="img" aria-label={t(`contacts.directions.${one.direction}`)} color="var(--mantine-color-dimmed)" />
                  <Text size="sm" fw={600}>{time}</Text>
                  <Text size="sm" c="dimmed">{[queue, who, one.answered === null ? null : clock(one.talk_ms)].filter(Boolean).join(' · ')}</Text>
                  <Badge variant="light" color={one.outcome === 'answered' ? 'green' : 'gray'} tt="none">{t(`contacts.outcomes.${one.outcome}`)}</Badge>
                  {one.disposition !== undefined && <Badge variant="outline" color="gray" tt="none" className="disposition">{dispositionText(one.disposition, known.labels, w.noneChosen)}</Badge>}
                </Group>
                {one.recording !== null && (
                  <ActionIcon variant="light" aria-label={`${w.play} ${time}`} onClick={() => setPlaying(one)}><IconPlayerPlayFilled size={14} /></ActionIcon>
                )}
              </Group>
              <Notes notes={one.notes} agents={board.agents} />
            </Box>
          );
        })}
      </Box>
      {known.more && <Text size="xs" c="dimmed">{w.more}</Text>}
      {playing !== null && <Suspense fallback={null}><Player key={playing.contact} contact={{ ...playing, caller: null }} zone={zone} close={() => setPlaying(null)} /></Suspense>}
    </>
  );
}
