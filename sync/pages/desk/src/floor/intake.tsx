// The switch that lets a queue, or the whole branch, take no new contacts: for a fire drill, a burst pipe, a sick team.
import { Button, Group, Modal, Switch, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDoor, IconDoorOff } from '@tabler/icons-react';
import type { Change } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { change, type Board, type QueueLine } from '../api';

/** Writes it, says so, and offers to take it back. */
function useIntake() {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  async function set(what: Change, undo: Change | null, message: string) {
    setBusy(true);
    const close = { closeButtonProps: { 'aria-label': t('close') } };
    try {
      await change([what]);
      const back = undo && <Button size="xs" variant="default" mt={6} onClick={() => { notifications.hide(id); void set(undo, null, t('intake.undone')); }}>{t('intake.undo')}</Button>;
      const id: string = notifications.show({ color: 'pine', message: <>{message}{back && <div>{back}</div>}</>, autoClose: 10_000, ...close });
    } catch (refused) {
      notifications.show({ color: 'red', title: t('refused.title'), message: refusalText(t, refused), role: 'alert', ...close });
    } finally {
      setBusy(false);
    }
  }
  return { set, busy };
}

export function QueueSwitch({ line, live }: { line: QueueLine; live: boolean }) {
  const { t } = useTranslation();
  const { set, busy } = useIntake();
  const to = (closed: boolean): Change => ({ set: 'queue_closed', queue: line.queue, closed });
  const toggle = (closed: boolean) => void set(to(closed), to(!closed), t(closed ? 'intake.queueClosed' : 'intake.queueOpened', { queue: line.label }));
  return (
    <Switch
      size="xs"
      label={t('intake.takes')}
      aria-label={t('intake.takesOf', { queue: line.label })}
      checked={!line.closed}
      disabled={!live || busy}
      onChange={(event) => toggle(!event.currentTarget.checked)}
    />
  );
}

export function SiteSwitch({ board, live }: { board: Board; live: boolean }) {
  const { t } = useTranslation();
  const { set, busy } = useIntake();
  const [asking, setAsking] = useState(false);
  const to = (closed: boolean): Change => ({ set: 'site_closed', closed });
  if (board.closed)
    return (
      <Button size="compact-sm" color="red.8" leftSection={<IconDoor size={16} />} loading={busy} disabled={!live} onClick={() => void set(to(false), to(true), t('intake.siteOpened'))}>{t('intake.openSite')}</Button>
    );
  return (
    <>
      <Button size="compact-sm" variant="default" leftSection={<IconDoorOff size={16} />} loading={busy} disabled={!live} onClick={() => setAsking(true)}>{t('intake.closeSite')}</Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title={t('intake.closeSite')} closeButtonProps={{ 'aria-label': t('close') }}>
        <Text size="sm" mb="lg">{t('intake.closeSiteText')}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" data-autofocus onClick={() => setAsking(false)}>{t('cancel')}</Button>
          <Button color="red" onClick={() => { setAsking(false); void set(to(true), to(false), t('intake.siteClosed')); }}>{t('intake.closeSite')}</Button>
        </Group>
      </Modal>
    </>
  );
}
