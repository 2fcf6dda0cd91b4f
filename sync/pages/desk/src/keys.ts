// Keyboard shortcuts: function keys for the work, two characters for going places. `shortcuts.tsx` lists them.
import { useHotkeys, useLocalStorage } from '@mantine/hooks';
import type { AgentLine, Ask } from './api';
import type { Call, Phone } from './phone/phone';

export const DIAL_FIELD = 'dial-number';
export const TRANSFER_BUTTON = 'transfer-open';
export const DISPOSITION_FIELD = 'disposition';
export const NOTE_FIELD = 'note';
export const TICKET_BUTTON = 'ticket-new';
/** A class: the list of reasons gives its button an id. */
export const PAUSE_BUTTON = 'pause-open';

export function useSingle() {
  return useLocalStorage({ key: 'branchline.single-keys', defaultValue: true });
}

export function useShortcuts({ phone, call, own, ask, help, toFloor }: {
  phone: Phone;
  call: Call | null;
  own: AgentLine | null;
  ask: (ask: Ask) => void;
  help: () => void;
  toFloor: () => void;
}) {
  const [single] = useSingle();
  const state = own?.state;
  // Where there are reasons, their list opens.
  const rest = () => {
    const reasons = document.querySelector<HTMLElement>(`.${PAUSE_BUTTON}`);
    if (reasons === null) ask({ ask: 'not_ready' });
    else reasons.click();
  };
  useHotkeys(
    [
      ['F2', () => (state === 'ready' ? rest() : ask({ ask: 'ready' }))],
      ['F3', () => call?.stage === 'ringing' && phone.answer()],
      ['F4', () => state === 'talking' && ask({ ask: own?.contact?.held ? 'resume' : 'hold' })],
      ['F6', () => call?.stage === 'talking' && phone.mute()],
      ['F7', () => state === 'wrap_up' && ask({ ask: 'wrap_up_done' })],
      ['F8', () => document.getElementById(TRANSFER_BUTTON)?.click()],
      ['F9', () => state === 'talking' && ask({ ask: 'hang_up' })],
    ],
    [],
  );
  useHotkeys(
    single
      ? [
          ['/', () => {
            toFloor();
            window.setTimeout(() => document.getElementById(DIAL_FIELD)?.focus(), 0);
          }],
          ['d', () => document.getElementById(DISPOSITION_FIELD)?.focus()],
          ['n', () => document.getElementById(NOTE_FIELD)?.focus()],
          ['t', () => document.getElementById(TICKET_BUTTON)?.click()],
          ['shift+?', help],
          ['?', help],
        ]
      : [],
  );
}
