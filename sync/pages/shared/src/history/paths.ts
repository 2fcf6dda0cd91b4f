// Paths and values of the documents in words.
import type { TFunction } from 'i18next';
import type { By, Config, Scalar } from '../model';
import type { en } from '../text/en';

type Kind = keyof typeof en.path.kinds;
type Field = keyof typeof en.path.fields;

export interface Named {
  /** `Queue Sales`. */
  of: string;
  /** `Ring time`; empty where the thing itself is meant. */
  field: string;
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export function named(t: TFunction, config: Config, path: string): Named {
  const [kind = '', id = '', field = '', ...rest] = path.split('/');
  if (kind === 'site') return { of: t('path.kinds.site'), field: [fieldText(t, id), field].filter(Boolean).join(' ') };
  const kinds = t('path.kinds', { returnObjects: true }) as Record<Kind, string>;
  if (!Object.hasOwn(kinds, kind)) return { of: path, field: '' };
  const of = `${kinds[kind as Kind]} ${labelOf(config, kind, id)}`;
  if (kind === 'flow_versions') return { of, field: '' };
  return { of, field: [fieldText(t, field), detail(t, config, field, rest.join('/'))].filter(Boolean).join(' ') };
}

/** In one line. */
export function pathText(t: TFunction, config: Config, path: string): string {
  const { of, field } = named(t, config, path);
  return field ? `${of} · ${field}` : of;
}

function labelOf(config: Config, kind: string, id: string): string {
  switch (kind) {
    case 'queues': return config.queues[id]?.label ?? id;
    case 'agents': return config.agents[id]?.badge ?? id;
    case 'trunks': return config.trunks[id]?.label ?? id;
    case 'hours': return config.hours[id]?.label ?? id;
    case 'places': return config.places[id]?.label ?? id;
    case 'flows':
    case 'flow_versions': return config.flows[id]?.label ?? id;
    default: return id;
  }
}

function fieldText(t: TFunction, field: string): string {
  const fields = t('path.fields', { returnObjects: true }) as Record<Field, string>;
  return Object.hasOwn(fields, field) ? fields[field as Field] : field;
}

function detail(t: TFunction, config: Config, field: string, rest: string): string {
  if (field === 'week') {
    const day = DAYS[Number(rest)];
    return day === undefined ? rest : t(`path.days.${day}`);
  }
  return field === 'queues' ? labelOf(config, 'queues', rest) : rest;
}

/** A value as people read it; undefined: nothing is said. */
export function valueText(t: TFunction, config: Config, path: string, value: Scalar | undefined): string {
  if (value === undefined) return t('path.unsaid');
  if (value === null) return t('none');
  const [kind, , field = ''] = path.split('/');
  if (typeof value === 'boolean') return field === 'is' ? t(value ? 'path.there' : 'path.gone') : t(value ? 'on' : 'off');
  if (typeof value === 'number') return field.endsWith('_s') ? `${value} ${t('seconds')}` : String(value);
  if (value === '') return t('none');
  if (field === 'locality') return t(value === 'may_leave' ? 'path.mayLeave' : 'path.localOnly');
  if (field === 'hours') return labelOf(config, 'hours', value);
  if (kind === 'numbers') return labelOf(config, 'flows', value);
  if (field === 'week') return value.split(' ').map((span) => span.split('-').map(clock).join('–')).join(', ');
  return value;
}

function clock(minutes: string): string {
  const all = Number(minutes);
  return `${String(Math.floor(all / 60)).padStart(2, '0')}:${String(all % 60).padStart(2, '0')}`;
}

/** A change that was stored a minute or more after it was written came from apart. */
export function cameLate(by: By): boolean {
  return by.taken - by.written >= 60_000;
}
