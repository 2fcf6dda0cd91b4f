// Words of the contact card. They come with it, and not with the desk's first load.
import type { Shape } from '@shared/text/shape';
import { useTranslation } from 'react-i18next';

const en = {
  disposition: 'What came of it',
  choose: 'Choose, or type to search',
  nothingFound: 'No such disposition',
  required: 'Needed before the wrap-up ends',
  note: 'Note',
  noteHint: 'Kept on this box as you type. Colleagues who get this customer later read it.',
  saved: 'Saved',
  saving: 'Saving…',
  unsaved: 'Not saved yet. It is tried again; leave this page open.',
  gone: 'This contact’s data has been erased. Nothing is kept of it any more.',
  tooLong: 'At most 4000 characters',
  changed: 'This note was changed in another window of yours. It says there:',
  keepMine: 'Keep mine',
  takeTheirs: 'Take that one',
  of: 'Note of',
  shown: 'From the call',
  history: 'Earlier contacts',
  first: 'The first contact from this number on this box.',
  withheld: 'The number is withheld, so nobody knows about earlier contacts.',
  missing: 'The box cannot read its memory at the moment: earlier contacts, notes and what was keyed in are missing here. The call goes on, and this is tried again.',
  more: 'Older ones are not shown.',
  noneChosen: 'None chosen',
  nobody: 'nobody',
  play: 'Play the recording of',
  recording: {
    state: { runs: 'This talk is recorded.', paused: 'The recording is paused.', refused: 'The customer refused: nothing is recorded.', waits: 'Not recorded: ask the customer first.', failed: 'Not recorded: the recorder failed.' },
    agrees: 'Customer agrees',
    refuses: 'Customer refuses',
    pause: 'Pause recording',
    resume: 'Record again',
  },
};

const zh: Shape<typeof en> = {
  disposition: '处理结果',
  choose: '请选择，或输入搜索',
  nothingFound: '没有此结果',
  required: '结束话后处理前必须选择',
  note: '备注',
  noteHint: '输入时即保存在本机。之后接待此客户的同事可以看到。',
  saved: '已保存',
  saving: '正在保存…',
  unsaved: '尚未保存，正在重试，请不要关闭此页面。',
  gone: '此联络的数据已被删除，不再保留任何内容。',
  tooLong: '最多 4000 个字符',
  changed: '您在另一个窗口中修改了此备注，那里的内容是：',
  keepMine: '保留这里的',
  takeTheirs: '采用那里的',
  of: '备注，作者',
  shown: '来自通话',
  history: '以往联络',
  first: '此号码在本机的首次联络。',
  withheld: '号码未显示，无法得知以往联络。',
  missing: '本机暂时无法读取存储：以往联络、备注和按键输入的内容在此缺失。通话不受影响，系统会自动重试。',
  more: '更早的未显示。',
  noneChosen: '未选择',
  nobody: '无人',
  play: '播放录音：',
  recording: {
    state: { runs: '本次通话正在录音。', paused: '录音已暂停。', refused: '客户已拒绝，不录音。', waits: '尚未录音：请先征得客户同意。', failed: '未录音：录音设备故障。' },
    agrees: '客户同意',
    refuses: '客户拒绝',
    pause: '暂停录音',
    resume: '继续录音',
  },
};

export function useWords(): Shape<typeof en> {
  const { i18n } = useTranslation();
  return i18n.language === 'zh' ? zh : en;
}
