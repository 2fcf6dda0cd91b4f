// A report as it is asked for: what stands in the address of the page, and in that of the box.

export const DIMENSIONS = ['queue', 'agent', 'skill', 'number', 'flow', 'direction', 'ending', 'disposition'] as const;
export type Dimension = (typeof DIMENSIONS)[number];
export const STEPS = ['quarter', 'hour', 'day', 'week', 'total'] as const;
export type Step = (typeof STEPS)[number];
export const SPANS = ['today', 'yesterday', 'week', 'month', 'days'] as const;
export type Span = (typeof SPANS)[number];
/** Things that one report is split by. */
export const BY_MAX = 3;

export interface Wanted {
  span: Span;
  /** Of `days`: both within, `2026-11-30`. */
  from: string;
  until: string;
  step: Step;
  by: Dimension[];
  only: Partial<Record<Dimension, string>>;
  /** Which figures are shown, and which of them is drawn. */
  figures: string;
  drawn: string;
}

export const START: Wanted = { span: 'today', from: '', until: '', step: 'hour', by: [], only: {}, figures: 'contacts', drawn: 'offered' };

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const one = <T extends string>(of: readonly T[], text: string | null, otherwise: T): T => of.find((each) => each === text) ?? otherwise;

/** What an address says, as far as it makes sense. */
export function read(hash: string): Wanted {
  const said = new URLSearchParams(hash.replace(/^#reports\??/, ''));
  const by = (said.get('by') ?? '').split(',').filter((name): name is Dimension => DIMENSIONS.some((each) => each === name));
  const only: Wanted['only'] = {};
  for (const dimension of DIMENSIONS) {
    const value = said.get(`only-${dimension}`);
    if (value) only[dimension] = value;
  }
  const [from, until] = [said.get('from') ?? '', said.get('until') ?? ''];
  const days = DAY.test(from) && DAY.test(until);
  return {
    span: days ? 'days' : one(SPANS.filter((span) => span !== 'days'), said.get('span'), START.span),
    from: days ? from : '',
    until: days ? until : '',
    step: one(STEPS, said.get('step'), START.step),
    by: [...new Set(by)].slice(0, BY_MAX),
    only,
    figures: said.get('figures') ?? START.figures,
    drawn: said.get('drawn') ?? START.drawn,
  };
}

export function write(wanted: Wanted): string {
  const said = new URLSearchParams();
  if (wanted.span === 'days') {
    said.set('from', wanted.from);
    said.set('until', wanted.until);
  } else said.set('span', wanted.span);
  said.set('step', wanted.step);
  if (wanted.by.length > 0) said.set('by', wanted.by.join(','));
  for (const [dimension, value] of Object.entries(wanted.only)) said.set(`only-${dimension}`, value);
  said.set('figures', wanted.figures);
  said.set('drawn', wanted.drawn);
  return `#reports?${said}`;
}

/** The day that it is at this moment in a zone. */
export function dayIn(zone: string, at: number): string {
  const parts = (timeZone: string) => new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
  try {
    return parts(zone);
  } catch {
    return parts('UTC');
  }
}

/** So many days before this one. */
export function before(day: string, days: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}

/** First and last day. */
export function daysOf(wanted: Wanted, zone: string, at: number): [string, string] {
  const today = dayIn(zone, at);
  switch (wanted.span) {
    case 'today': return [today, today];
    case 'yesterday': return [before(today, 1), before(today, 1)];
    case 'week': return [before(today, 6), today];
    case 'month': return [before(today, 29), today];
    case 'days': return [wanted.from, wanted.until];
  }
}

/** What the box is asked; None of a value is `-`. */
export function query(wanted: Wanted, zone: string, at: number): string {
  const [from, until] = daysOf(wanted, zone, at);
  const said = new URLSearchParams({ from, until, step: wanted.step });
  if (wanted.by.length > 0) said.set('by', wanted.by.join(','));
  const only = Object.entries(wanted.only).map(([dimension, value]) => `${dimension}:${value}`);
  if (only.length > 0) said.set('only', only.join(';'));
  return said.toString();
}
