// Keyboard shortcuts: function keys for the work, two characters for going places. `shortcuts.tsx` lists them.
import { useHotkeys, useLocalStorage } from '@mantine/hooks';
import type { AgentLine, Ask } from './api';

export const DIAL_FIELD = 'dial-number';
export const TRANSFER_BUTTON = 'transfer-open';

export function useSingle() {
  return useLocalStorage({ key: 'branchline.single-keys', defaultValue: true });
}

export function useShortcuts({ own, ask, help, toFloor }: {
  own: AgentLine | null;
  ask: (ask: Ask) => void;
  help: () => void;
  toFloor: () => void;
}) {
  const [single] = useSingle();
  const state = own?.state;
  useHotkeys(
    [
      ['F2', () => ask({ ask: state === 'ready' ? 'not_ready' : 'ready' })],
      ['F4', () => state === 'talking' && ask({ ask: own?.contact?.held ? 'resume' : 'hold' })],
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
          ['shift+?', help],
          ['?', help],
        ]
      : [],
  );
}
