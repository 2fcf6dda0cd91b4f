// The customer's tickets beside the contact, and a new one by one key.
import { Alert, Box, Button, Group, Text } from '@mantine/core';
import { IconLink, IconTicket } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Board, ContactCard, Me } from '../api';
import { TICKET_BUTTON } from '../keys';
import { act, ticketsOf, type TicketRow } from './api';
import { DueText, StateBadge } from './bits';
import NewTicket from './new';
import { useTicketWords, useWhy } from './words';

export default function CardTickets({ me, board, shown }: { me: Me; board: Board; shown: ContactCard }) {
  const { t } = useTranslation();
  const w = useTicketWords();
  const why = useWhy();
  const known = useQueryClient();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const key = ['card-tickets', shown.contact];
  const found = useQuery({ queryKey: key, queryFn: () => ticketsOf(shown.contact) });
  const rows = (found.data?.tickets ?? []).filter((row) => row.state !== 'closed');
  const link = (row: TicketRow) =>
    act(row.ticket, row.version, [{ do: 'link', contact: shown.contact }]).then(() => setFailed(null), setFailed).finally(() => void known.invalidateQueries({ queryKey: key }));
  return (
    <Box component="section" aria-label={w.ofCustomer}>
      <Group justify="space-between" gap="xs" mb={4}>
        <Text className="quiet-caps">{w.ofCustomer}</Text>
        <Button id={TICKET_BUTTON} size="xs" variant="light" leftSection={<IconTicket size={16} />} onClick={() => setMaking(true)}>{w.new}</Button>
      </Group>
      <Text size="xs" c="dimmed" role="status">{made ? w.made : rows.length === 0 && found.isSuccess ? w.noneOfCustomer : ''}</Text>
      {failed !== null && <Alert color="orange" variant="light" role="alert" mb="xs" withCloseButton closeButtonLabel={t('close')} onClose={() => setFailed(null)}>{why(failed)}</Alert>}
      {rows.map((row) => (
        <Group key={row.ticket} gap="xs" py={4} justify="space-between" wrap="nowrap">
          <Box miw={0}>
            <Text size="sm" fw={500} truncate>#{row.number} {row.subject ?? w.erased}</Text>
            <Group gap="xs"><StateBadge state={row.state} /><DueText row={row} now={found.data?.now ?? 0} zone={me.site.time_zone} /></Group>
          </Box>
          {!row.contacts.includes(shown.contact) && <Button size="xs" variant="default" leftSection={<IconLink size={14} />} onClick={() => void link(row)}>{w.link}</Button>}
        </Group>
      ))}
      {making && (
        <NewTicket self={me.agent} contact={shown.contact} queue={shown.queue} queues={board.queues} agents={board.agents} close={(ticket) => {
          setMaking(false);
          if (ticket === null) return;
          setMade(true);
          void known.invalidateQueries({ queryKey: key });
        }} />
      )}
    </Box>
  );
}
