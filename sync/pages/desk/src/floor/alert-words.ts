// Alerts in words. They come with the first alert, and not with the desk's first load.
import { clock } from '@shared/format';
import type { Shape } from '@shared/text/shape';
import { useTranslation } from 'react-i18next';
import type { AlertLine } from '../api';

const en = {
  title: 'Needs a look now',
  raised: 'Needs a look',
  since: 'for',
  ofCall: 'A call',
  longest_wait: 'somebody waits',
  waiting: 'waiting',
  service_level: 'service level today',
  abandoned: 'abandonment today',
  unserved: 'nobody is there to answer',
  quality: 'a call sounds badly, R',
};

const zh: Shape<typeof en> = {
  title: '现在需要关注',
  raised: '需要关注',
  since: '已持续',
  ofCall: '某通话',
  longest_wait: '最长等待',
  waiting: '等待人数',
  service_level: '当日服务水平',
  abandoned: '当日放弃率',
  unserved: '无人接听',
  quality: '通话质量差，R',
};

export type AlertWords = Shape<typeof en>;

export function useAlertWords(): AlertWords {
  const { i18n } = useTranslation();
  return i18n.language === 'zh' ? zh : en;
}

/** What it is, without the queue. */
export function alertText(w: AlertWords, line: AlertLine): string {
  switch (line.alert) {
    case 'longest_wait': return `${w.longest_wait} ${clock(line.value * 1000)}`;
    case 'waiting': return `${w.waiting}: ${line.value}`;
    case 'service_level':
    case 'abandoned': return `${w[line.alert]} ${(line.value / 10).toFixed(1)} %`;
    case 'unserved': return w.unserved;
    case 'quality': return `${w.quality} ${line.value}`;
  }
}

export const alertKey = (line: AlertLine) => [line.queue, line.alert, line.contact, line.agent].join(' ');
