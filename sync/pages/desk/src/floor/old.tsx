// How old a figure is, beside it, when the box is not heard any more.
import { Text } from '@mantine/core';
import { clock } from '@shared/format';
import { useTranslation } from 'react-i18next';

export function Old({ ms }: { ms: number | null }) {
  const { t } = useTranslation();
  return ms === null ? null : <Text span inherit className="old">{t('old', { age: clock(ms) })}</Text>;
}
