// For how long a box can run cut off: the shortest of what ends, and what comes after it.
import { Group, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Alone } from '../model';

/** What is told of anything that is far away. */
const FAR = 3_650;
/** With fewer days somebody should look soon; as the box warns. */
const ENOUGH: Record<Alone['until'], number> = { disk: 7, certificate: 14, trunk_names: 2 };

export const isShort = (alone: Alone) => alone.days < ENOUGH[alone.until];

export function AloneText({ alone }: { alone: readonly Alone[] }) {
  const { t } = useTranslation();
  const ends = [...alone].sort((a, b) => a.days - b.days);
  const short = ends.some(isShort);
  const Icon = short ? IconAlertTriangle : IconCircleCheck;
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <Icon size={16} aria-hidden color={`var(--mantine-color-${short ? 'red' : 'green'}-text)`} style={{ flex: 'none', marginTop: 2 }} />
      <div>
        {ends.length === 0 && <Text size="sm">{t('alone.endless')}</Text>}
        {ends.filter((end, n) => n === 0 || end.days < FAR).map((end, n) => (
          <Text key={end.until} size={n === 0 ? 'sm' : 'xs'} c={isShort(end) ? 'var(--mantine-color-red-text)' : n === 0 ? undefined : 'dimmed'}>
            {end.days >= FAR ? t('alone.years') : t('alone.days', { count: end.days })} · {t(`alone.until.${end.until}`)}
          </Text>
        ))}
      </div>
    </Group>
  );
}
