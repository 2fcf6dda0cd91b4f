// Steps as the drawing sees them: which ways lead on, where a new one begins, and how its fields are filled in. Pure.
import type { Flow, Step } from '@shared/model';

export type Kind = Step['do'];
export const KINDS: readonly Kind[] = ['play', 'say', 'menu', 'digits', 'open', 'if', 'set', 'look_up', 'survey', 'consent', 'sub_flow', 'return', 'transfer', 'queue', 'callback', 'voicemail', 'hangup'];

/** A way out of a step: a field's name, or a menu's key. */
export type WayName = 'next' | 'then' | 'otherwise' | 'after' | 'key';

export interface Way {
  way: WayName;
  key?: string;
  to: string;
}

const FIELDS = ['next', 'then', 'otherwise', 'after'] as const;

export function ways(step: Step): Way[] {
  const out: Way[] = [];
  if (step.do === 'menu') for (const [key, to] of Object.entries(step.choices)) out.push({ way: 'key', key, to });
  for (const way of FIELDS) {
    const to = (step as unknown as Record<string, unknown>)[way];
    if (typeof to === 'string') out.push({ way, to });
  }
  return out;
}

/** The ways that a step of this kind has at most; those of a queue may be left out. */
export function waysOf(kind: Kind): readonly string[] {
  switch (kind) {
    case 'play':
    case 'say':
    case 'set':
    case 'survey':
    case 'sub_flow':
      return ['next'];
    case 'menu':
    case 'transfer':
      return ['otherwise'];
    case 'digits':
    case 'look_up':
    case 'consent':
    case 'callback':
    case 'voicemail':
      return ['next', 'otherwise'];
    case 'open':
    case 'if':
      return ['then', 'otherwise'];
    case 'queue':
      return ['after', 'otherwise'];
    case 'return':
    case 'hangup':
      return [];
  }
}

/** The step, led elsewhere. */
export function lead(step: Step, way: string, to: string, key?: string): Step {
  if (step.do === 'menu' && way === 'key' && key !== undefined) return { ...step, choices: { ...step.choices, [key]: to } };
  return { ...step, [way]: to } as Step;
}

/** Kinds that a caller's way begins with are filled in so that they could run. */
export function fresh(kind: Kind, to: string): Step {
  switch (kind) {
    case 'play': return { do: kind, prompt: 'greeting', next: to };
    case 'say': return { do: kind, parts: [{ prompt: 'greeting' }], next: to };
    case 'menu': return { do: kind, prompt: 'menu', choices: { 1: to }, wait_s: 5, tries: 3, otherwise: to };
    case 'digits': return { do: kind, prompt: 'account', into: '', min: 1, max: 8, wait_s: 5, tries: 3, next: to, otherwise: to };
    case 'open': return { do: kind, hours: '', then: to, otherwise: to };
    case 'if': return { do: kind, all: [{ is: 'withheld' }], then: to, otherwise: to };
    case 'set': return { do: kind, variable: '', to: true, next: to };
    case 'look_up': return { do: kind, url: 'http://', send: { phone: 'caller' }, take: {}, wait_ms: 2000, next: to, otherwise: to };
    case 'survey': return { do: kind, prompt: 'survey', best: 5, wait_s: 8, next: to };
    case 'consent': return { do: kind, prompt: 'consent', agree: '1', refuse: '2', wait_s: 5, tries: 2, next: to, otherwise: to };
    case 'sub_flow': return { do: kind, flow: '', next: to };
    case 'transfer': return { do: kind, phone: '', ring_s: 20, otherwise: to };
    case 'queue': return { do: kind, queue: '', asks: { value: 0, skills: {} } };
    case 'callback': return { do: kind, queue: '', asks: { value: 0, skills: {} }, next: to, otherwise: to };
    case 'voicemail': return { do: kind, queue: '', max_s: 120, next: to, otherwise: to };
    case 'return': return { do: kind };
    case 'hangup': return { do: kind };
  }
}

/** A name that no step has. */
export function freeName(flow: Flow, kind: string): string {
  const stem = kind.replaceAll('_', '-');
  if (!(stem in flow.steps)) return stem;
  for (let n = 2; ; n += 1) if (!(`${stem}-${n}` in flow.steps)) return `${stem}-${n}`;
}

/** Whoever led to the step leads to where it led first, or stays as it is, to be mended. */
export function without(flow: Flow, id: string): Flow {
  const { [id]: gone, ...steps } = flow.steps;
  if (gone === undefined) return flow;
  const to = ways(gone).find((way) => way.to !== id)?.to;
  if (to === undefined) return { ...flow, steps };
  const led = Object.entries(steps).map(([name, step]) => [name, ways(step).filter((way) => way.to === id).reduce((is, way) => lead(is, way.way, to, way.key), step)] as const);
  return { ...flow, start: flow.start === id ? to : flow.start, steps: Object.fromEntries(led) };
}

export function renamed(flow: Flow, from: string, to: string): Flow {
  const steps = Object.entries(flow.steps).map(([name, step]) => [name === from ? to : name, ways(step).filter((way) => way.to === from).reduce((is, way) => lead(is, way.way, to, way.key), step)] as const);
  return { ...flow, start: flow.start === from ? to : flow.start, steps: Object.fromEntries(steps) };
}

/** Where each step is drawn: rows by distance from the start, what nobody comes to below. */
export function places(flow: Flow): Record<string, { row: number; column: number }> {
  const rows = new Map<string, number>();
  let edge = flow.start in flow.steps ? [flow.start] : [];
  for (let row = 0; edge.length > 0; row += 1) {
    for (const id of edge) rows.set(id, row);
    const next = edge.flatMap((id) => ways(flow.steps[id]!).map((way) => way.to));
    edge = [...new Set(next)].filter((id) => id in flow.steps && !rows.has(id));
  }
  const last = Math.max(-1, ...rows.values()) + 1;
  const filled = new Map<number, number>();
  const out: Record<string, { row: number; column: number }> = {};
  for (const id of [...rows.keys(), ...Object.keys(flow.steps).filter((id) => !rows.has(id))]) {
    const row = rows.get(id) ?? last;
    const column = filled.get(row) ?? 0;
    filled.set(row, column + 1);
    out[id] = { row, column };
  }
  return out;
}
