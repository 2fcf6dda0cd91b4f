// A recording's waveform as a shape, and where the keys of its player lead.
import type { Waveform } from '../api';

/** Height of either side; a silent stretch is a thin line. */
const SIDE = 32;
const STEP_S = 5;

/** An SVG path: for each stretch a bar above the middle of 64, and one below; as wide as there are stretches. */
export function outline({ caller, agent }: Waveform): string {
  // Ears hear loudness in ratios: the root lifts what is quiet.
  const height = (peak: number) => Math.max(0.5, (SIDE - 2) * Math.sqrt(Math.min(255, peak) / 255)).toFixed(1);
  return caller.map((peak, n) => `M${n} ${SIDE - 1}v-${height(peak)}h.7v${height(peak)}zM${n} ${SIDE + 1}v${height(agent[n] ?? 0)}h.7v-${height(agent[n] ?? 0)}z`).join('');
}

/** Seconds that a key of a slider leads to (WAI-ARIA APG); null: it is none. */
export function sought(key: string, at: number, length: number): number | null {
  const to: Record<string, number> = {
    ArrowRight: at + STEP_S, ArrowUp: at + STEP_S, ArrowLeft: at - STEP_S, ArrowDown: at - STEP_S,
    PageUp: at + length / 10, PageDown: at - length / 10, Home: 0, End: length,
  };
  const found = to[key];
  return found === undefined ? null : Math.max(0, Math.min(length, found));
}
