// The contact I am offered, talk to or wrap up; and a field to dial when there is none.
import { Alert, Box, Button, Card, Group, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowRight, IconBuildingCommunity, IconCreditCard, IconCreditCardOff, IconPhone, IconPhoneCall, IconPhoneOff, IconPhoneOutgoing, IconPlugConnectedX, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { clock, phone } from '@shared/format';
import { Empty, Figure } from '@shared/ui/bits';
import { Suspense, lazy, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { takeDialled } from '../dial-link';
import type { AgentLine, Ask } from '../api';
import { useNow } from '../clock';
import { DIAL_FIELD, TRANSFER_BUTTON } from '../keys';
import { OwnCall, Ringing, TalkKeys } from '../phone/controls';
import type { FloorProps } from './floor';

const ThirdParty = lazy(() => import('./third').then((third) => ({ default: third.ThirdParty })));
const TransferDialog = lazy(() => import('./transfer'));
const ContactSide = lazy(() => import('../card/card'));

export function CallCard(props: FloorProps & { own: AgentLine }) {
  const { t } = useTranslation();
  const { own, board } = props;
  const queue = own.contact?.queue ?? null;
  const queueName = board.queues.find((line) => line.queue === queue)?.label ?? queue ?? t('call.outgoing');
  useOfferToast(own, queueName);
  return (
    <Card padding="lg" component="section" aria-label={t('call.title')} className="call-card" data-state={own.contact ? own.state : undefined}>
      {/* Said aloud once, when a caller is offered. */}
      <div className="visually-hidden" role="alert">{own.state === 'offered' && own.contact ? `${t('call.offeredToast', { queue: queueName })}. ${t('call.offered', { phone: own.phone ?? '' })}` : ''}</div>
      {own.contact === null && <OwnCall phone={props.phone} state={props.telephone} />}
      {own.contact === null ? <Idle {...props} /> : <Contact {...props} queueName={queueName} />}
    </Card>
  );
}

function useOfferToast(own: AgentLine, queueName: string) {
  const { t } = useTranslation();
  const offered = own.state === 'offered' ? (own.contact?.contact ?? null) : null;
  const number = own.contact?.caller_number ?? '';
  useEffect(() => {
    if (offered === null) return;
    const title = document.title;
    notifications.show({
      id: offered,
      color: 'orange',
      icon: <IconPhoneCall size={18} />,
      title: t('call.offeredToast', { queue: queueName }),
      message: number === '' ? t('call.withheld') : phone(number),
      autoClose: false,
      closeButtonProps: { 'aria-label': t('close') },
    });
    document.title = `${t('call.offeredTab')} – ${title}`;
    return () => {
      notifications.hide(offered);
      document.title = title;
    };
  }, [offered, number, queueName, t]);
}

function Contact({ me, own, at, live, ask, board, queueName, phone: line, telephone }: FloorProps & { own: AgentLine; queueName: string }) {
  const { t } = useTranslation();
  const now = useNow();
  const [busy, setBusy] = useState<Ask['ask'] | null>(null);
  const [transferring, setTransferring] = useState(false);
  const card = own.contact;
  if (card === null) return null;
  const age = Math.max(0, now - at);
  const { state } = own;
  const waited = card.waited_ms + (state === 'offered' ? age : 0);
  const press = (wanted: Ask) => {
    setBusy(wanted.ask);
    return ask(wanted).finally(() => setBusy(null));
  };
  const busyWith = (name: Ask['ask']) => ({ loading: busy === name, disabled: !live || (busy !== null && busy !== name) });
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Box miw={0}>
          <Text className="quiet-caps">{t('call.title')}</Text>
          <Text fz={28} fw={650} lh={1.25} className="caller-number">{card.caller_number === '' ? t('call.withheld') : phone(card.caller_number)}</Text>
          <Text c="dimmed" truncate>{card.caller_name ?? t('call.unknownName')}</Text>
        </Box>
        {card.held && <Text fw={600} c="var(--mantine-color-orange-text)" role="status" style={{ whiteSpace: 'nowrap' }}>{t('call.onHold')}</Text>}
      </Group>
      {state === 'offered' && !card.callback && <Alert color="orange" variant="light" icon={<IconPhoneCall size={20} />}>{telephone.ready ? t('phone.offered') : t('call.offered', { phone: own.phone ?? '' })}</Alert>}
      <Ringing phone={line} state={telephone} />
      {card.away && <Alert color="orange" variant="light" icon={<IconPlugConnectedX size={20} />}>{t('phone.away')}</Alert>}
      {card.callback && <Alert color="blue" variant="light" icon={<IconPhoneOutgoing size={20} />}>{t(state === 'offered' ? 'call.callbackOffered' : 'call.callback')}</Alert>}
      {card.card_mode && <Alert color="orange" variant="light" icon={<IconCreditCard size={20} />}>{t('call.cardModeOn')}</Alert>}
      {state === 'talking' && card.third !== null && <Suspense fallback={null}><ThirdParty third={card.third} board={board} press={press} busyWith={busyWith} /></Suspense>}
      {card.from_site !== null && <Alert color="blue" variant="light" icon={<IconBuildingCommunity size={20} />}>{t('call.from', { site: card.from_site })}</Alert>}
      <SimpleGrid cols={3} spacing="md">
        <Figure label={t('call.queue')} value={<Text fz="lg" fw={600} truncate>{queueName}</Text>} />
        <Figure label={t('call.waited')} value={<Text fz="lg" fw={600}>{clock(waited)}</Text>} />
        {state === 'talking' && <Figure label={t('call.talking')} value={<Text fz="lg" fw={600}>{clock(own.since_ms + age)}</Text>} />}
        {state === 'offered' && <Figure label={t('call.ringing')} value={<Text fz="lg" fw={600}>{clock(own.since_ms + age)}</Text>} />}
      </SimpleGrid>
      {state === 'talking' && (
        <Group gap="xs">
          {card.held ? (
            <Button variant="light" leftSection={<IconPlayerPlay size={18} />} onClick={() => void press({ ask: 'resume' })} {...busyWith('resume')}>{t('call.resume')}</Button>
          ) : (
            <Button variant="light" leftSection={<IconPlayerPause size={18} />} onClick={() => void press({ ask: 'hold' })} {...busyWith('hold')}>{t('call.hold')}</Button>
          )}
          <TalkKeys phone={line} state={telephone} />
          {card.card_mode ? (
            <Button color="orange" variant="light" leftSection={<IconCreditCardOff size={18} />} onClick={() => void press({ ask: 'card_mode_end' })} {...busyWith('card_mode_end')}>{t('call.cardModeEnd')}</Button>
          ) : (
            <Button variant="light" leftSection={<IconCreditCard size={18} />} onClick={() => void press({ ask: 'card_mode' })} {...busyWith('card_mode')}>{t('call.cardMode')}</Button>
          )}
          <Button id={TRANSFER_BUTTON} variant="light" leftSection={<IconArrowRight size={18} />} onClick={() => setTransferring(true)} {...busyWith('transfer')}>{t('call.transfer')}</Button>
          <Button color="red.8" leftSection={<IconPhoneOff size={18} />} onClick={() => void press({ ask: 'hang_up' })} {...busyWith('hang_up')}>{t('call.hangUp')}</Button>
        </Group>
      )}
      <Suspense fallback={null}><ContactSide me={me} board={board} shown={card} live={live} named={state !== 'offered'} ask={ask} /></Suspense>
      {transferring && state === 'talking' && (
        <Suspense fallback={null}>
          <TransferDialog
            close={() => setTransferring(false)}
            colleagues={board.agents.filter((line) => line.agent !== own.agent && line.state === 'ready' && line.phone !== null)}
            transfer={(number) => void press({ ask: 'transfer', number }).then((done) => done && setTransferring(false))}
            consult={card.third === null ? (number) => void press({ ask: 'consult', number }).then((done) => done && setTransferring(false)) : null}
            busy={busy === 'transfer' || busy === 'consult'}
          />
        </Suspense>
      )}
    </Stack>
  );
}

function Idle({ own, live, ask }: FloorProps & { own: AgentLine }) {
  const { t } = useTranslation();
  const [number, setNumber] = useState(takeDialled);
  const [busy, setBusy] = useState(false);
  const may = live && own.phone_registered && (own.state === 'ready' || own.state === 'not_ready');
  return (
    <Stack gap="md">
      <Empty icon={<IconPhone size={24} />} title={t('call.none')}>{own.state === 'ready' ? t('call.noneReady') : t('call.noneNotReady')}</Empty>
      <form onSubmit={(event) => {
        event.preventDefault();
        setBusy(true);
        void ask({ ask: 'dial', number }).then((done) => {
          setBusy(false);
          if (done) setNumber('');
        });
      }}>
        <Box maw={420} mx="auto">
          <Group gap="xs" align="flex-end" wrap="nowrap">
            <TextInput id={DIAL_FIELD} label={t('call.dialLabel')} aria-describedby={`${DIAL_FIELD}-hint`} inputMode="tel" autoComplete="off" value={number} onChange={(e) => setNumber(e.currentTarget.value)} style={{ flex: 1 }} />
            <Button type="submit" variant="light" leftSection={<IconPhoneCall size={18} />} disabled={!may || number.trim() === ''} loading={busy}>{t('call.dial')}</Button>
          </Group>
          <Text size="xs" c="dimmed" mt={4} id={`${DIAL_FIELD}-hint`}>{t('call.dialHint')}</Text>
        </Box>
      </form>
    </Stack>
  );
}
