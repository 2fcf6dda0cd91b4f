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

/** The box says something every ten seconds, changed or not: what is older than this is not to be trusted. */
const OLD_MS = 15_000;

/** Of what came at `at`: what its spans have grown by since, and how old it is when it is too old. What is old grows no more: it
    would look alive. */
export function useAge(at: number): { grown: number; old: number | null } {
  const age = Math.max(0, useNow() - at);
  return age > OLD_MS ? { grown: 0, old: age } : { grown: age, old: null };
}
