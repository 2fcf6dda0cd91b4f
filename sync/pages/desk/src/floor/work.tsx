// My state, how long it lasts, and the buttons that change it.
import { Alert, Box, Button, Card, Group, Text } from '@mantine/core';
import { IconEye, IconPhoneOff } from '@tabler/icons-react';
import { clock } from '@shared/format';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Ask } from '../api';
import { useNow } from '../clock';
import type { FloorProps } from './floor';
import { PauseButton, pauseText } from './pause';
import { STATE_COLOR } from './state';

export function StateCard({ own, board, at, live, ask, telephone }: FloorProps) {
  const { t } = useTranslation();
  const now = useNow();
  const [busy, setBusy] = useState<Ask['ask'] | null>(null);
  if (own === null)
    return (
      <Alert color="gray" variant="light" radius="lg" icon={<IconEye size={20} />} className="bordered">{t('work.notHere')}</Alert>
    );

  const age = Math.max(0, now - at);
  const { state } = own;
  const left = own.contact?.wrap_up_left_ms ?? null;
  const counts = state === 'wrap_up' && left !== null ? Math.max(0, left - age) : own.since_ms + age;
  const press = (wanted: Ask) => {
    setBusy(wanted.ask);
    void ask(wanted).finally(() => setBusy(null));
  };
  const button = (wanted: 'ready' | 'sign_in' | 'sign_out' | 'wrap_up_done' | 'wrap_up_more', label: string, variant: string, color?: string) => (
    <Button key={wanted} size="md" variant={variant} color={color} loading={busy === wanted} disabled={!live || (busy !== null && busy !== wanted)} onClick={() => press({ ask: wanted })}>
      {label}
    </Button>
  );
  const rest = (label: string) => <PauseButton key="rest" board={board} label={label} loading={busy === 'not_ready'} disabled={!live || (busy !== null && busy !== 'not_ready')} press={press} />;
  const why = pauseText(t, board, own.pause);
  const hint =
    state === 'ready' ? (telephone.ready ? t('phone.readyHint') : t('work.readyHint', { phone: own.phone ?? '' }))
    : state === 'not_ready' ? t('work.notReadyHint')
    : state === 'signed_out' ? t('work.signedOutHint')
    : null;
  return (
    <Card className="state-card" data-state={state} padding="lg">
      <Group justify="space-between" align="center" gap="md">
        <Box>
          <Text className="quiet-caps">{t('work.title')}</Text>
          <Group gap="sm" align="baseline" mt={2}>
            <Text component="h2" fz={26} fw={650} lh={1.2} c={`var(--mantine-color-${STATE_COLOR[state]}-text)`} aria-live="polite">{t(`state.${state}`)}</Text>
            {state !== 'signed_out' && (
              <Text fz={22} fw={500} c="dimmed" component="span">
                <span className="visually-hidden">{state === 'wrap_up' ? t('work.wrapUpLeft') : t('work.for')} </span>
                {clock(counts)}
              </Text>
            )}
          </Group>
          {why !== null && <Text fw={500} mt={2}>{why}</Text>}
          {hint && <Text size="sm" c="dimmed" mt={2}>{hint}</Text>}
          {state === 'wrap_up' && left !== null && <Text size="sm" c="dimmed" mt={2} aria-hidden>{t('work.wrapUpLeft')}</Text>}
        </Box>
        <Group gap="xs">
          {state === 'signed_out' && button('sign_in', t('work.start'), 'filled')}
          {state === 'not_ready' && [button('sign_out', t('work.stop'), 'subtle', 'gray'), Object.keys(board.pauses).length > 0 && rest(t('rest.other')), button('ready', t('work.goReady'), 'filled')]}
          {state === 'ready' && rest(t('work.goNotReady'))}
          {state === 'wrap_up' && [rest(t('work.goNotReady')), button('wrap_up_more', t('work.wrapUpMore'), 'default'), button('wrap_up_done', t('work.wrapUpDone'), 'filled')]}
        </Group>
      </Group>
      {own.phone === null ? (
        <Alert color="yellow" variant="light" mt="md" icon={<IconPhoneOff size={18} />}>{t('work.noPhoneSet')}</Alert>
      ) : !own.phone_registered ? (
        <Alert color="yellow" variant="light" mt="md" icon={<IconPhoneOff size={18} />}>{t('work.noPhone')}</Alert>
      ) : null}
    </Card>
  );
}
