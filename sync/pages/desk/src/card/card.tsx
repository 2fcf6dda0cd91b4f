// What is known of who calls: what was keyed in, what came of it, the agent's note, and the customer's history.
import '@mantine/core/styles/Combobox.css';
import '@mantine/core/styles/Divider.css';
import '@mantine/core/styles/Skeleton.css';
import './card.css';
import { Alert, Box, Divider, Select, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconDatabaseOff } from '@tabler/icons-react';
import { Queries } from '@shared/ui/queries';
import { Figure } from '@shared/ui/bits';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy, useEffect, useState } from 'react';
import { card, type Ask, type Board, type ContactCard, type Me } from '../api';
import { DISPOSITION_FIELD } from '../keys';
import { History, Notes } from './history';
import { NoteField } from './note-field';
import { RecordingBar } from './recording';
import { useWords } from './words';

const CardTickets = lazy(() => import('../tickets/card-tickets'));

/** While the box cannot read its memory, or has not written the contact down yet. */
const AGAIN_MS = 3_000;

interface Props {
  me: Me;
  board: Board;
  shown: ContactCard;
  live: boolean;
  /** The contact is talked to or written up: what came of it can be named. */
  named: boolean;
  ask: (ask: Ask) => Promise<boolean>;
}

export default function CardPlace(props: Props) {
  return <Queries><Card key={props.shown.contact} {...props} /></Queries>;
}

function Card({ me, board, shown, live, named, ask }: Props) {
  const w = useWords();
  const { contact } = shown;
  const found = useQuery({
    queryKey: ['card', contact],
    queryFn: () => card(contact),
    // What somebody else has open does not change under the agent's hands: it is read when the contact comes.
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchInterval: (query) => (query.state.data?.known ? false : AGAIN_MS),
  });
  if (found.isPending) return <Skeleton height={140} role="status" />;
  const known = found.data?.known ?? null;
  const dispositions = found.data?.dispositions ?? {};
  // Who rings is looked at first; who talks is written about first. Keys keep what was typed.
  const dispose = Object.keys(dispositions).length > 0 && <Dispose key="dispose" shown={shown} dispositions={dispositions} live={live} ask={ask} />;
  const written = known === null ? [] : [
    <NoteField key="note" agent={me.agent} contact={contact} stored={known.note} />,
    known.notes.length > 0 && <div key="notes"><Notes notes={known.notes} agents={board.agents} /></div>,
  ];
  const history = known === null ? (
    <Alert key="history" color="orange" variant="light" icon={<IconDatabaseOff size={20} />} role="status">{w.missing}</Alert>
  ) : (
    <Box key="history" component="section" aria-label={w.history}>
      <Text className="quiet-caps" mb={4}>{w.history}</Text>
      <History known={known} board={board} zone={me.site.time_zone} withheld={shown.caller_number === ''} />
    </Box>
  );
  return (
    <Stack gap="md">
      {shown.recording !== null && <RecordingBar line={shown.recording} card={shown.card_mode} live={live} ask={ask} />}
      <Divider />
      {known !== null && known.shown.length > 0 && (
        <Box>
          <Text className="quiet-caps" mb={4}>{w.shown}</Text>
          <SimpleGrid cols={{ base: 2, sm: 3 }} spacing="md">
            {known.shown.map(([what, says]) => <Figure key={what} label={what} value={<Text fw={600} className="note-text">{says}</Text>} />)}
          </SimpleGrid>
        </Box>
      )}
      {named ? [dispose, ...written, history] : [history, ...written]}
      {known !== null && <Suspense fallback={null}><CardTickets me={me} board={board} shown={shown} /></Suspense>}
    </Stack>
  );
}

function Dispose({ shown, dispositions, live, ask }: { shown: ContactCard; dispositions: Record<string, string>; live: boolean; ask: (ask: Ask) => Promise<boolean> }) {
  const w = useWords();
  // Until the box shows it.
  const [asked, setAsked] = useState<string | null>(null);
  useEffect(() => setAsked(null), [shown.disposition]);
  const stands = asked ?? shown.disposition;
  // One that the queue has no more is shown as it is.
  const all = stands !== null && !(stands in dispositions) ? { ...dispositions, [stands]: stands } : dispositions;
  const choose = (disposition: string | null) => {
    if (disposition === null || disposition === stands) return;
    setAsked(disposition);
    void ask({ ask: 'dispose', contact: shown.contact, disposition }).then((done) => done || setAsked(null));
  };
  return (
    <Select
      id={DISPOSITION_FIELD} label={w.disposition} description={shown.disposition_required ? w.required : undefined} withAsterisk={shown.disposition_required}
      placeholder={w.choose} nothingFoundMessage={w.nothingFound} value={stands} data={Object.entries(all).map(([value, label]) => ({ value, label }))}
      onChange={choose} allowDeselect={false} searchable selectFirstOptionOnChange disabled={!live} maw={420} openOnFocus
    />
  );
}
