// When supervisors are to look up: thresholds of a queue. Its words come with it, for the desk loads them late.
import { Box, NumberInput, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Alerts } from '../model';
import type { Shape } from '../text/shape';

const en = {
  title: 'Alerts',
  note: 'Shown on the floor and the wallboard while it lasts, told to supervisors in their page, and written down.',
  longest_wait_s: 'Somebody waits longer than',
  waiting: 'More contacts wait than',
  service_level: 'Service level today below',
  abandoned: 'Abandonment today above',
  shares: 'Shares count from ten contacts of the day.',
  off: 'Off',
  seconds: ' s',
  percent: ' %',
  unserved: 'The queue takes contacts, and nobody is ready or at work',
  quality: 'A call sounds badly',
  qualityHint: 'R below 70 for ten seconds, at either end.',
};

const zh: Shape<typeof en> = {
  title: '告警',
  note: '持续期间显示在工作台和大屏上，在页面中通知班长，并记录在案。',
  longest_wait_s: '最长等待超过',
  waiting: '等待人数超过',
  service_level: '当日服务水平低于',
  abandoned: '当日放弃率高于',
  shares: '当日满十个联络后才计算比率。',
  off: '不告警',
  seconds: ' 秒',
  percent: ' %',
  unserved: '队列开放但无人就绪或在岗',
  quality: '通话质量差',
  qualityHint: '任一端 R 值低于 70 持续十秒。',
};

const BOUNDS = { longest_wait_s: [5, 3600], waiting: [1, 1000], service_level: [1, 100], abandoned: [1, 100] } as const;
type Threshold = keyof typeof BOUNDS;
const ALL = Object.keys(BOUNDS) as Threshold[];

const fits = (value: number | null, [min, max]: readonly [number, number]) => value === null || (Number.isInteger(value) && value >= min && value <= max);

export function alertsValid(alerts: Alerts) {
  return ALL.every((name) => fits(alerts[name], BOUNDS[name]));
}

export function AlertFields({ alerts, set, disabled, notes }: { alerts: Alerts; set: (alerts: Alerts) => void; disabled: boolean; notes: ReactNode }) {
  const { t, i18n } = useTranslation();
  const w = i18n.language === 'zh' ? zh : en;
  const unit = (name: Threshold) => (name === 'longest_wait_s' ? w.seconds : name === 'waiting' ? '' : w.percent);
  return (
    <Stack gap="md">
      <Box>
        <Text fw={600} size="sm">{w.title}</Text>
        <Text size="sm" c="dimmed">{w.note}</Text>
      </Box>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        {ALL.map((name) => {
          const [min, max] = BOUNDS[name];
          return (
            <NumberInput
              key={name} label={w[name]} value={alerts[name] ?? ''} placeholder={w.off} suffix={unit(name)} min={min} max={max} clampBehavior="none" allowDecimal={false} allowNegative={false} disabled={disabled}
              error={fits(alerts[name], BOUNDS[name]) ? undefined : t('fields.bounds', { min, max })} onChange={(next) => set({ ...alerts, [name]: next === '' ? null : Number(next) })}
            />
          );
        })}
      </SimpleGrid>
      <Text size="xs" c="dimmed">{w.shares}</Text>
      <Switch label={w.unserved} checked={alerts.unserved} disabled={disabled} onChange={(e) => set({ ...alerts, unserved: e.currentTarget.checked })} />
      <Switch label={w.quality} description={w.qualityHint} checked={alerts.quality} disabled={disabled} onChange={(e) => set({ ...alerts, quality: e.currentTarget.checked })} />
      {notes && <Box>{notes}</Box>}
    </Stack>
  );
}
