// A ticket that is for the reader to look up.
import { notifications } from '@mantine/notifications';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { TicketNews } from '../api';
import { useTicketWords } from './words';

const COLOR = { assigned: 'blue', warned: 'orange', breached: 'red' };

export default function TicketAlarm({ news }: { news: TicketNews }) {
  const { t } = useTranslation();
  const w = useTicketWords();
  useEffect(() => {
    const { alarm, number } = news;
    if (alarm === null) return;
    const which = 'promise' in alarm ? `: ${w.promises[alarm.promise]}` : '';
    notifications.show({ color: COLOR[alarm.is], message: `${w.alarm[alarm.is]} #${number}${which}`, autoClose: 20_000, closeButtonProps: { 'aria-label': t('close') } });
  }, [news, t, w]);
  return null;
}
