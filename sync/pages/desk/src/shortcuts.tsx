// The list of keyboard shortcuts.
import '@mantine/core/styles/Kbd.css';
import '@mantine/core/styles/Table.css';
import { Group, Kbd, Modal, Stack, Switch, Table, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useSingle } from './keys';

export default function ShortcutsDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [single, setSingle] = useSingle();
  const rows = [
    ['F2', t('keys.ready')],
    ['F3', t('keys.answer')],
    ['F4', t('keys.hold')],
    ['F6', t('keys.mute')],
    ['F7', t('keys.wrapUp')],
    ['F8', t('keys.transfer')],
    ['F9', t('keys.hangUp')],
    ...(single ? [['/', t('keys.dial')], ['D', t('keys.disposition')], ['N', t('keys.note')], ['T', t('keys.ticket')], ['?', t('keys.help')]] : []),
  ];
  return (
    <Modal opened onClose={close} title={t('keys.title')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <Table withRowBorders={false} verticalSpacing={6}>
          <Table.Tbody>
            {rows.map(([key, what]) => (
              <Table.Tr key={key}>
                <Table.Td w={70}><Kbd>{key}</Kbd></Table.Td>
                <Table.Td><Text size="sm">{what}</Text></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <Group><Switch label={t('keys.single')} checked={single} onChange={(e) => setSingle(e.currentTarget.checked)} /></Group>
      </Stack>
    </Modal>
  );
}
