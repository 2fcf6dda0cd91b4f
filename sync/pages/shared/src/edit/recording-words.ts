// Words of how calls are recorded. They come with the editor, and not with the desk's first load.
import { useTranslation } from 'react-i18next';
import type { Shape } from '../text/shape';

const en = {
  consent: 'The customer’s consent',
  is: { not_asked: 'Not asked for', unless_refused: 'Recorded unless refused', when_given: 'Recorded only when given' },
  hint: {
    not_asked: 'Recorded whatever the customer says. Tell callers so in the flow where the law wants it.',
    unless_refused: 'Recording ends where the customer says no, by a key in the flow or to the agent.',
    when_given: 'Recording begins where the customer says yes, by a key in the flow or to the agent.',
  },
  pause: 'Pause at most',
  pauseHint: '0: agents may not pause. Card entry pauses in any case.',
  others: 'Calls that belong to no queue',
  othersHint: 'A call for help is recorded where calls out are, and asks nobody.',
  direction: { inward: 'Record calls from outside to a phone', outward: 'Record calls out', inside: 'Record calls from phone to phone' },
};

const zh: Shape<typeof en> = {
  consent: '客户同意',
  is: { not_asked: '不询问', unless_refused: '未拒绝即录音', when_given: '同意后才录音' },
  hint: {
    not_asked: '无论客户怎么说都录音。法律有要求时，请在流程中告知来电者。',
    unless_refused: '客户在流程中按键或向坐席表示拒绝时，录音即停止。',
    when_given: '客户在流程中按键或向坐席表示同意后，录音才开始。',
  },
  pause: '最长暂停',
  pauseHint: '0 表示坐席不得暂停。输入银行卡时总会暂停。',
  others: '不属于任何队列的通话',
  othersHint: '凡录制外呼之处，紧急呼叫也会录音，且不征求同意。',
  direction: { inward: '录制外部打给话机的通话', outward: '录制外呼', inside: '录制话机之间的通话' },
};

export function useWords() {
  return useTranslation().i18n.language.startsWith('zh') ? zh : en;
}
