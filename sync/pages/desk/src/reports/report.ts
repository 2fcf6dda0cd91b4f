// A report from the box: its lines are read as they come, progress first.
import { Refusal } from '@shared/api';
import { useCallback, useEffect, useState } from 'react';
import type { Dimension, Step } from './ask';

export interface Column {
  /** Of a pause: `pause/` and why. */
  name: string;
  unit: 'count' | 'ms' | 'permille';
  formula: string;
}

export interface Time {
  start: number;
  until: number;
  down_ms: number;
  down: boolean;
  running: boolean;
}

export interface Row {
  /** Which of the times. */
  time: number;
  key: (string | null)[];
  values: (number | null)[];
}

export interface Report {
  site: { id: string; label: string; time_zone: string };
  made: number;
  from: string;
  until: string;
  step: Step;
  by: Dimension[];
  only: Partial<Record<Dimension, (string | null)[]>>;
  columns: Column[];
  times: Time[];
  rows: Row[];
  total: (number | null)[];
  labels: Record<string, Record<string, string>>;
}

export interface Progress {
  done: number;
  of: number;
}

type Line = { progress: Progress } | { report: Report } | { refused: { code: string; message: string } };

/** Lines of JSON out of a stream of bytes, wherever it is cut. */
export async function* jsonLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const text = new TextDecoder();
  let rest = '';
  for await (const piece of bytes) {
    rest += text.decode(piece, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line);
  }
}

async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function make(query: string, tell: (progress: Progress) => void, signal: AbortSignal): Promise<Report> {
  const response = await fetch(`/api/reports?${query}`, { credentials: 'same-origin', signal });
  if (!response.ok || response.body === null) {
    const told = (await response.json().catch(() => ({}))) as { error?: { code: string; message: string } };
    throw new Refusal(response.status, told.error?.code ?? 'unavailable', told.error?.message ?? '');
  }
  for await (const said of jsonLines(pieces(response.body))) {
    const line = said as Line;
    if ('progress' in line) tell(line.progress);
    else if ('report' in line) return line.report;
    else throw new Refusal(422, line.refused.code, line.refused.message);
  }
  throw new Refusal(0, 'unreachable', 'it broke off');
}

interface State {
  report: Report | null;
  progress: Progress | null;
  error: unknown;
  waits: boolean;
}

/** The report that this asks for; what was there before stays until it comes. */
export function useReport(query: string): State & { again: () => void } {
  const [state, set] = useState<State>({ report: null, progress: null, error: null, waits: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const gone = new AbortController();
    set((was) => ({ ...was, progress: null, error: null, waits: true }));
    make(query, (progress) => set((was) => ({ ...was, progress })), gone.signal).then(
      (report) => set({ report, progress: null, error: null, waits: false }),
      (error: unknown) => gone.signal.aborted || set({ report: null, progress: null, error, waits: false }),
    );
    return () => gone.abort();
  }, [query, turn]);
  return { ...state, again: useCallback(() => setTurn((was) => was + 1), []) };
}
