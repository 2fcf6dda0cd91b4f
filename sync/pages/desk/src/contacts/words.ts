// Words of the list of contacts that only it needs. They come with it, and not with the desk's first load.
import type { Shape } from '@shared/text/shape';
import { useTranslation } from 'react-i18next';

const en = {
  filter: 'What came of it',
  all: 'Everything',
  noneFound: 'No such contact',
  noneFoundText: 'Nothing that is listed here came to this.',
  change: 'Change what came of it, or the note:',
  title: 'Change what came of the contact',
  hint: 'That it was changed, by whom and when, is kept.',
  note: 'Your note',
  noteHint: 'Others who may see this contact read it.',
  said: 'changed by',
  missing: 'The box cannot read its memory at the moment. Try again shortly.',
  refusals: {
    too_late: 'The time in which you could change this is over. A supervisor still can.',
    goes_on: 'This contact goes on. Name it on its card.',
    unknown_disposition: 'The queue does not have that disposition any more. Choose another.',
    note_changed: 'The note was changed elsewhere. Close this and open it again.',
    erased: 'This contact’s data has been erased. Nothing is kept of it any more.',
  } as Record<string, string>,
};

const zh: Shape<typeof en> = {
  filter: '处理结果',
  all: '全部',
  noneFound: '没有符合的联络',
  noneFoundText: '此列表中没有该处理结果的联络。',
  change: '修改处理结果或备注：',
  title: '修改联络的处理结果',
  hint: '修改人与修改时间将被记录。',
  note: '您的备注',
  noteHint: '可查看此联络的其他人能看到。',
  said: '修改人：',
  missing: '本机暂时无法读取存储，请稍后再试。',
  refusals: {
    too_late: '您的修改期限已过，主管仍可修改。',
    goes_on: '此联络仍在进行，请在其卡片上选择。',
    unknown_disposition: '该队列已没有此处理结果，请另选。',
    note_changed: '备注已在别处修改，请关闭后重新打开。',
    erased: '此联络的数据已被删除，不再保留任何内容。',
  },
};

export function useContactWords(): Shape<typeof en> {
  const { i18n } = useTranslation();
  return i18n.language === 'zh' ? zh : en;
}
