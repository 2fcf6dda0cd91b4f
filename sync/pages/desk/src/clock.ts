// One tick a second for everything on the page that counts.
import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let now = performance.now();
let timer: number | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now = performance.now();
    for (const each of listeners) each();
  }, 500);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    window.clearInterval(timer);
    timer = undefined;
  };
}

/** Milliseconds of this machine's steady clock, twice a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
