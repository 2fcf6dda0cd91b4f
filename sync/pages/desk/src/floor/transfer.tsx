// Hands the caller over to somebody else, at once or after a word with them.
import { Box, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine } from '../api';

export default function TransferDialog({ close, colleagues, transfer, consult, busy }: {
  close: () => void;
  colleagues: readonly AgentLine[];
  transfer: (number: string) => void;
  /** Null: somebody is consulted already. */
  consult: ((number: string) => void) | null;
  busy: boolean;
}) {
  const { t } = useTranslation();
  const [number, setNumber] = useState('');
  return (
    <Modal opened onClose={close} title={t('call.transfer')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        transfer(number);
      }}>
        <Stack>
          <TextInput label={t('call.transferTo')} description={t('call.transferHint')} inputMode="tel" value={number} onChange={(e) => setNumber(e.currentTarget.value)} data-autofocus required withAsterisk={false} />
          {colleagues.length > 0 && (
            <Box>
              <Text size="sm" fw={600} mb={6}>{t('call.colleagues')}</Text>
              <Group gap="xs">
                {colleagues.map((line) => (
                  <Button key={line.agent} size="xs" variant="default" onClick={() => setNumber(line.phone ?? '')}>{line.badge} · {line.phone}</Button>
                ))}
              </Group>
            </Box>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            {consult !== null && <Button variant="light" loading={busy} disabled={number.trim() === ''} onClick={() => consult(number)}>{t('call.consult')}</Button>}
            <Button type="submit" loading={busy} disabled={number.trim() === ''}>{t('call.transferNow')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
