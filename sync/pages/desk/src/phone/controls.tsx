// What one does with a call on the page's own telephone: answer, decline, mute, keys.
import { Box, Button, Group, Popover, SimpleGrid, Text } from '@mantine/core';
import { IconDialpad, IconMicrophone, IconMicrophoneOff, IconPhoneIncoming, IconPhoneOff } from '@tabler/icons-react';
import { phone as written } from '@shared/format';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Phone, PhoneState } from './phone';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

/** A call that rings here. */
export function Ringing({ phone, state }: { phone: Phone; state: PhoneState }) {
  const { t } = useTranslation();
  const rings = state.call?.stage === 'ringing';
  useEffect(() => (rings ? phone.ring(t('phone.ringsTitle'), t('phone.ringsText')) : undefined), [phone, rings, t]);
  if (!rings) return null;
  return (
    <Group gap="xs">
      <Button size="md" color="green.9" leftSection={<IconPhoneIncoming size={18} />} onClick={phone.answer}>{t('phone.answer')}</Button>
      <Button size="md" variant="default" leftSection={<IconPhoneOff size={18} />} onClick={phone.hangUp}>{t('phone.decline')}</Button>
    </Group>
  );
}

/** A call on this telephone that is no contact of the agent's: a colleague's. */
export function OwnCall({ phone, state }: { phone: Phone; state: PhoneState }) {
  const { t } = useTranslation();
  if (state.call === null) return null;
  return (
    <Box mb="md" role="group" aria-label={t('call.title')}>
      <Text fz={22} fw={650} mb="xs">{written(state.call.number)}</Text>
      <Ringing phone={phone} state={state} />
      {state.call.stage === 'talking' && (
        <Group gap="xs">
          <TalkKeys phone={phone} state={state} />
          <Button color="red.8" leftSection={<IconPhoneOff size={18} />} onClick={phone.hangUp}>{t('call.hangUp')}</Button>
        </Group>
      )}
    </Box>
  );
}

/** Beside the buttons of a talk, whoever carries it. */
export function TalkKeys({ phone, state }: { phone: Phone; state: PhoneState }) {
  const { t } = useTranslation();
  const { call } = state;
  if (call?.stage !== 'talking') return null;
  return (
    <>
      <Button variant={call.muted ? 'filled' : 'light'} color={call.muted ? 'orange.9' : undefined} aria-pressed={call.muted} leftSection={call.muted ? <IconMicrophoneOff size={18} /> : <IconMicrophone size={18} />} onClick={phone.mute}>
        {call.muted ? t('phone.unmute') : t('phone.mute')}
      </Button>
      <Popover position="bottom" trapFocus withArrow>
        <Popover.Target>
          <Button variant="light" leftSection={<IconDialpad size={18} />}>{t('phone.keys')}</Button>
        </Popover.Target>
        <Popover.Dropdown>
          <SimpleGrid cols={3} spacing={6} role="group" aria-label={t('phone.keys')}>
            {KEYS.map((key) => <Button key={key} variant="default" size="md" px={0} w={52} onClick={() => phone.key(key)}>{key}</Button>)}
          </SimpleGrid>
        </Popover.Dropdown>
      </Popover>
    </>
  );
}
