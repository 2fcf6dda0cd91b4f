// A new password of one's own. It ends all sessions, this one too.
import { Alert, Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { Refusal } from '@shared/api';
import { refusalText } from '@shared/text/words';
import { forget } from '@shared/ui/queries';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changePassword } from './api';

/** As cloudd checks it. */
const LEN_MIN = 12;

export function PasswordDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [old, setOld] = useState('');
  const [wanted, setWanted] = useState('');
  const done = useMutation({
    mutationFn: () => changePassword(old, wanted),
    onSuccess: () => {
      forget();
    },
  });
  const wrong = done.error instanceof Refusal && done.error.code === 'forbidden';
  const short = [...wanted].length < LEN_MIN;
  return (
    <Modal opened onClose={close} title={t('password.title')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        done.mutate();
      }}>
        <Stack>
          <Text size="sm" c="dimmed">{t('password.text')}</Text>
          {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{wrong ? t('password.wrong') : refusalText(t, done.error)}</Alert>}
          <PasswordInput label={t('password.old')} autoComplete="current-password" required withAsterisk={false} data-autofocus value={old} onChange={(e) => setOld(e.currentTarget.value)} />
          <PasswordInput label={t('password.new')} description={t('password.newHint', { min: LEN_MIN })} inputWrapperOrder={['label', 'input', 'error', 'description']} autoComplete="new-password" required withAsterisk={false} value={wanted} onChange={(e) => setWanted(e.currentTarget.value)} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" loading={done.isPending} disabled={old === '' || short}>{t('password.submit')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
