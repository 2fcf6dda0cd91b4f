// Words of the chat. They come with it, and not with the desk's first load.
import type { Shape } from '@shared/text/shape';
import { useTranslation } from 'react-i18next';

const en = {
  title: 'Chat',
  open: 'Chat',
  unread: 'not read',
  hint: 'Stays on this box, and works without the centre. Kept for 30 days.',
  colleagues: 'Colleagues',
  queues: 'Queues',
  supervisors: 'Supervisors',
  supervisorsOf: 'Supervisors and',
  back: 'All conversations',
  older: 'Show older',
  empty: 'Nothing has been said here yet.',
  say: 'Message',
  sayHint: 'Enter sends it, Shift and Enter begin a line.',
  send: 'Send',
  you: 'You',
  tooFast: 'You write too fast. Wait a moment and send it again.',
};

const zh: Shape<typeof en> = {
  title: '内部聊天',
  open: '内部聊天',
  unread: '条未读',
  hint: '仅保存在本机，无需连接中心。保留 30 天。',
  colleagues: '同事',
  queues: '队列',
  supervisors: '主管',
  supervisorsOf: '主管与',
  back: '全部会话',
  older: '显示更早的',
  empty: '这里还没有消息。',
  say: '消息',
  sayHint: '按回车发送，按 Shift 加回车换行。',
  send: '发送',
  you: '您',
  tooFast: '发送过快，请稍候再发。',
};

export function useChatWords(): Shape<typeof en> {
  const { i18n } = useTranslation();
  return i18n.language === 'zh' ? zh : en;
}
