// The end of a box that was lost or is given away.
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { refusalText } from '@shared/text/words';
import { queries } from '@shared/ui/queries';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { revoke, type BoxLine } from '../api';

export function RevokeDialog({ box, label, close }: { box: BoxLine; label: string; close: () => void }) {
  const { t } = useTranslation();
  const done = useMutation({
    mutationFn: () => revoke(box.box),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['boxes'] });
      void queries.invalidateQueries({ queryKey: ['sites'] });
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('boxes.revokeTitle', { site: label })} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
        <Text size="sm">{t('boxes.revokeText')}</Text>
        <Text size="xs" c="dimmed" ff="monospace" style={{ overflowWrap: 'anywhere' }}>{box.box}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button color="red" loading={done.isPending} onClick={() => done.mutate()}>{t('boxes.revoke')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
