// Who set a field, beside it.
import { Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Blame } from '../model';
import { useWho } from './fields';

export function SaidBy({ said, path, zone }: { said: Blame; path: string; zone: string }) {
  const { t } = useTranslation();
  const who = useWho(zone);
  return <Text size="xs" c="dimmed" mt={4} data-path={path}>{t('merge.setBy', { who: who.line(said), where: t(`merge.doc.${said.doc}`) })}</Text>;
}
