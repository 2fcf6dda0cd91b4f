// Numbers and times as people read them. Tabular figures are the theme's business.

/** 75 s → `1:15`; from an hour on `1:02:03`. */
export function clock(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function percent(part: number, of: number): string {
  return of > 0 ? `${Math.round((part / of) * 100)} %` : '–';
}

export function permille(value: number | null): string {
  return value === null ? '–' : `${Math.round(value / 10)} %`;
}

export function count(n: number, language: string): string {
  return new Intl.NumberFormat(language).format(n);
}

export function timeOfDay(ms: number, language: string, zone?: string): string {
  return format(ms, language, { hour: '2-digit', minute: '2-digit', second: '2-digit' }, zone);
}

export function dayAndTime(ms: number, language: string, zone?: string): string {
  return format(ms, language, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' }, zone);
}

export function day(ms: number, language: string, zone?: string): string {
  return format(ms, language, { weekday: 'long', day: 'numeric', month: 'long' }, zone);
}

/** `2026-12-25` as people write it. What is no day stays as it is. */
export function dateOf(text: string, language: string): string {
  const at = Date.parse(`${text}T12:00:00Z`);
  return Number.isNaN(at) ? text : new Intl.DateTimeFormat(language, { year: 'numeric', month: 'short', day: 'numeric', timeZone: 'UTC' }).format(at);
}

export function date(ms: number, language: string): string {
  return new Intl.DateTimeFormat(language, { year: 'numeric', month: 'short', day: 'numeric' }).format(ms);
}

/** Bytes in the unit people use for files. */
export function size(bytes: number, language: string): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, 'gigabyte'] : bytes >= 1e6 ? [bytes / 1e6, 'megabyte'] : [bytes / 1e3, 'kilobyte'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

function format(ms: number, language: string, options: Intl.DateTimeFormatOptions, zone?: string): string {
  const wanted = { hourCycle: 'h23', ...options } as const;
  try {
    return new Intl.DateTimeFormat(language, { ...wanted, timeZone: zone }).format(ms);
  } catch {
    // A zone this browser does not know.
    return new Intl.DateTimeFormat(language, wanted).format(ms);
  }
}

/** `3 minutes ago`, in the coarsest unit that says something. */
export function ago(ms: number, language: string): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const words = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  if (s < 60) return words.format(-s, 'second');
  if (s < 3600) return words.format(-Math.round(s / 60), 'minute');
  if (s < 86_400) return words.format(-Math.round(s / 3600), 'hour');
  return words.format(-Math.round(s / 86_400), 'day');
}

/** A number as people group it: `+86 138 0000 0001`. What is no number stays as it is. */
export function phone(number: string): string {
  const china = /^\+86(\d{3})(\d{4})(\d{4})$/.exec(number);
  if (china) return `+86 ${china[1]} ${china[2]} ${china[3]}`;
  const long = /^(\+\d{2})?(\d{6,})$/.exec(number);
  if (!long) return number;
  const groups = (long[2] ?? '').replace(/(\d{3})(?=\d{2,})/g, '$1 ').trim();
  return [long[1], groups].filter(Boolean).join(' ');
}

/** Minutes of the day ↔ `09:30`. */
export function minutes(min: number): string {
  return `${String(Math.floor(min / 60)).padStart(2, '0')}:${String(min % 60).padStart(2, '0')}`;
}

export function ofMinutes(text: string): number | null {
  const found = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(text.trim());
  if (!found) return null;
  const min = Number(found[1]) * 60 + Number(found[2]);
  return min <= 1440 ? min : null;
}
