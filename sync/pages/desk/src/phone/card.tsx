// The page as a telephone: on or off, whether it is ready, and what to do when it is not.
import { ActionIcon, Alert, Box, Card, Group, Switch, Text, Tooltip } from '@mantine/core';
import { IconAlertCircle, IconHeadphones, IconSettings } from '@tabler/icons-react';
import { Suspense, lazy, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Phone, PhoneState } from './phone';

const DevicesDialog = lazy(() => import('./devices-dialog'));

export function PhoneCard({ phone, state }: { phone: Phone; state: PhoneState }) {
  const { t } = useTranslation();
  const [devices, setDevices] = useState(false);
  const status = !state.on ? t('phone.off') : state.ready ? t('phone.ready') : state.trouble === null ? t('phone.connecting') : t('phone.not');
  return (
    <Card padding="md" component="section" aria-label={t('phone.title')} className="phone-card" data-ready={state.ready}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Group gap="sm" wrap="nowrap" miw={0}>
          <IconHeadphones size={20} aria-hidden />
          <Box miw={0}>
            <Text fw={600} size="sm">{t('phone.title')}</Text>
            <Text size="xs" c="dimmed" role="status">{status}</Text>
          </Box>
        </Group>
        <Group gap="xs" wrap="nowrap">
          {state.on && (
            <Tooltip label={t('phone.devices')}>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('phone.devices')} onClick={() => setDevices(true)}><IconSettings size={20} /></ActionIcon>
            </Tooltip>
          )}
          <Switch id="phone-switch" aria-label={t('phone.switch')} checked={state.on} onChange={(e) => (e.currentTarget.checked ? phone.switchOn() : phone.switchOff())} />
        </Group>
      </Group>
      {state.on && <Switch mt="sm" size="xs" label={t('phone.auto')} checked={state.auto} onChange={(e) => phone.setAuto(e.currentTarget.checked)} />}
      {state.on && state.trouble !== null && (
        <Alert mt="sm" color="yellow" variant="light" icon={<IconAlertCircle size={18} />}>{t(`phone.trouble.${state.trouble}`)}</Alert>
      )}
      {devices && <Suspense fallback={null}><DevicesDialog phone={phone} close={() => setDevices(false)} /></Suspense>}
    </Card>
  );
}
