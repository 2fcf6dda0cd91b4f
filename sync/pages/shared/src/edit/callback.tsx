// How customers of a queue are called back.
import { Box, NumberInput, Select, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Callback, Hours } from '../model';
import { Seconds } from './editing';

const within = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;

export function callbackValid({ offer_after_s, attempts, again_min }: Callback) {
  return (offer_after_s === null || within(offer_after_s, 30, 3600)) && within(attempts, 1, 5) && within(again_min, 1, 240);
}

export function CallbackFields({ callback, hours, set, disabled, notes }: {
  callback: Callback;
  hours: Record<string, Hours>;
  set: (callback: Callback) => void;
  disabled: boolean;
  notes: ReactNode;
}) {
  const { t } = useTranslation();
  const change = (part: Partial<Callback>) => set({ ...callback, ...part });
  const whole = (label: string, value: number, min: number, max: number, put: (value: number) => void) => (
    <NumberInput label={label} value={Number.isFinite(value) ? value : ''} min={min} max={max} clampBehavior="none" allowDecimal={false} allowNegative={false} disabled={disabled} error={within(value, min, max) ? undefined : t('fields.bounds', { min, max })} onChange={(next) => put(next === '' ? Number.NaN : Number(next))} />
  );
  return (
    <Stack gap="md">
      <Text fw={600} size="sm">{t('callback.title')}</Text>
      <Switch label={t('callback.offer')} description={t('callback.offerHint')} checked={callback.offer_after_s !== null} disabled={disabled} onChange={(e) => change({ offer_after_s: e.currentTarget.checked ? 180 : null })} />
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        {callback.offer_after_s !== null && <Seconds label={t('callback.offerAfter')} min={30} max={3600} value={callback.offer_after_s} set={(offer_after_s) => change({ offer_after_s })} disabled={disabled} />}
        {whole(t('callback.attempts'), callback.attempts, 1, 5, (attempts) => change({ attempts }))}
        {whole(t('callback.again'), callback.again_min, 1, 240, (again_min) => change({ again_min }))}
        <Select
          label={t('callback.hours')}
          value={callback.hours ?? ''}
          data={[{ value: '', label: t('callback.hoursQueue') }, ...Object.entries(hours).map(([value, one]) => ({ value, label: one.label }))]}
          onChange={(next) => change({ hours: next || null })}
          allowDeselect={false}
          disabled={disabled}
        />
      </SimpleGrid>
      {notes && <Box>{notes}</Box>}
    </Stack>
  );
}
