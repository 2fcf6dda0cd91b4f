// A code with which one box joins the branch.
import { Alert, Box, Button, Code, CopyButton, Group, Modal, Stack, Text } from '@mantine/core';
import { IconAlertCircle, IconCheck, IconCopy } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { useMutation } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { enrol } from '../api';

export function EnrolDialog({ site, label, close }: { site: string; label: string; close: () => void }) {
  const { t, i18n } = useTranslation();
  const made = useMutation({ mutationFn: () => enrol(site) });
  return (
    <Modal opened onClose={close} title={t('enrol.title', { site: label })} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
      {made.isError && <Alert color="red" variant="light" mb="md" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, made.error)}</Alert>}
      {made.data === undefined ? (
        <Stack>
          <Text size="sm">{t('enrol.text')}</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button loading={made.isPending} onClick={() => made.mutate()} data-autofocus>{t('enrol.make')}</Button>
          </Group>
        </Stack>
      ) : (
        <Stack>
          <Box>
            <Text size="sm" fw={600} mb={4}>{t('enrol.code')}</Text>
            <Group gap="xs" wrap="nowrap" align="stretch">
              <Code block fz="sm" style={{ flex: 1, overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{made.data.code}</Code>
              <CopyButton value={made.data.code}>
                {({ copied, copy }) => (
                  <Button variant="light" h="auto" leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />} onClick={copy}>{copied ? t('enrol.copied') : t('enrol.copy')}</Button>
                )}
              </CopyButton>
            </Group>
          </Box>
          <Box>
            <Text size="sm" fw={600} mb={4}>{t('enrol.command')}</Text>
            <Code block fz="sm">boxd enrol --code …</Code>
          </Box>
          <Text size="sm" c="dimmed">{t('enrol.once', { time: dayAndTime(made.data.expires, i18n.language) })}</Text>
          <Group justify="flex-end"><Button variant="default" onClick={close}>{t('close')}</Button></Group>
        </Stack>
      )}
    </Modal>
  );
}
