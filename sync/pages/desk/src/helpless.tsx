// Says that no call for help can go out, to whoever stands before the page, signed in or not.
import { Alert } from '@mantine/core';
import { IconUrgent } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Help } from './api';

export function Helpless({ help }: { help: Help | null }) {
  const { t } = useTranslation();
  if (help === null || help === 'ready') return null;
  return (
    <Alert color="red" variant="light" mb="md" role="alert" icon={<IconUrgent size={20} aria-hidden />} title={t('helpless.title')}>
      {t(`helpless.${help}`)}
    </Alert>
  );
}
