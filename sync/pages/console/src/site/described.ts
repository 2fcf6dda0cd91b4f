// A change in words: of what, which field, and to which value.
import { forwardText } from '@shared/edit/forward';
import type { Change, Config } from '@shared/model';
import type { TFunction } from 'i18next';

export interface Described {
  of: string;
  field: string;
  /** Null where the field says it all. */
  value: string | null;
}

export function described(t: TFunction, config: Config, change: Change): Described {
  const site = t('history.site');
  const queue = (id: string) => config.queues[id]?.label ?? id;
  const agent = (id: string) => config.agents[id]?.badge ?? id;
  const hours = (id: string) => config.hours[id]?.label ?? id;
  const trunk = (id: string) => config.trunks[id]?.label ?? id;
  const flow = (id: string) => config.flows[id]?.label ?? id;
  const seconds = (n: number) => `${n} ${t('seconds')}`;
  const on = (is: boolean) => t(is ? 'on' : 'off');
  const level = (skill: string, n: number | null) => `${skill}, ${n === null ? t('none') : t('fields.level', { level: n })}`;
  const say = (of: string, field: string, value: string | null = null): Described => ({ of, field, value });
  const ofQueue = (id: string, field: string, value: string | null = null) => say(`${t('queue.one')} ${queue(id)}`, field, value);
  const ofAgent = (id: string, field: string, value: string | null = null) => say(`${t('agent.one')} ${agent(id)}`, field, value);
  const ofHours = (id: string, field: string, value: string | null = null) => say(`${t('hours.one')} ${hours(id)}`, field, value);
  const [added, removed, written] = [t('history.added'), t('history.removed'), t('history.written')];
  switch (change.set) {
    case 'site_label': return say(site, t('fields.label'), change.label);
    case 'site_time_zone': return say(site, t('site.zone'), change.time_zone);
    case 'site_emergency': return say(site, t('site.emergency'), change.numbers.join(', ') || t('none'));
    case 'site_outward': return say(site, t('site.outward'), change.trunk === null ? t('none') : trunk(change.trunk));
    case 'site_dialling': return say(site, t('site.dialling'), written);
    case 'site_closed': return say(site, t('queue.closed'), on(change.closed));
    case 'site_drill': return say(site, t('nav.drills'), change.drill === null ? t('none') : `${new Date(change.drill.at).toISOString().slice(0, 16)}Z, ${change.drill.minutes} min`);
    case 'site_recording': return say(site, t('path.fields.recording'), written);
    case 'pause_put': return say(t('pause.title'), change.label);
    case 'pause_remove': return say(t('pause.title'), removed, change.pause);
    case 'disposition_put': return say(t('disposition.title'), change.label);
    case 'disposition_remove': return say(t('disposition.title'), removed, change.disposition);
    case 'place_put': return say(`${t('site.place')} ${change.value.label || change.place}`, written, [change.value.street, change.value.house, change.value.floor, change.value.room].filter((part) => part !== '').join(', ') || null);
    case 'place_remove': return say(`${t('site.place')} ${change.place}`, removed);
    case 'queue_add': return ofQueue(change.queue, added);
    case 'queue_remove': return ofQueue(change.queue, removed);
    case 'queue_label': return ofQueue(change.queue, t('fields.label'), change.label);
    case 'queue_skill': return ofQueue(change.queue, t('queue.skills'), level(change.skill, change.level));
    case 'queue_music': return ofQueue(change.queue, t('queue.music'), change.prompt);
    case 'queue_position_every': return ofQueue(change.queue, t('queue.positionEvery'), seconds(change.seconds));
    case 'queue_ring': return ofQueue(change.queue, t('queue.ring'), seconds(change.seconds));
    case 'queue_wrap_up': return ofQueue(change.queue, t('queue.wrapUp'), seconds(change.seconds));
    case 'queue_service_level': return ofQueue(change.queue, t('queue.serviceLevel'), seconds(change.seconds));
    case 'queue_hours': return ofQueue(change.queue, t('queue.hours'), change.hours === null ? t('queue.alwaysOpen') : hours(change.hours));
    case 'queue_recorded': return ofQueue(change.queue, t('queue.recorded'), on(change.recorded));
    case 'queue_recording': return ofQueue(change.queue, t('path.fields.recording'), written);
    case 'queue_closed': return ofQueue(change.queue, t('queue.closed'), on(change.closed));
    case 'queue_locality': return ofQueue(change.queue, t('queue.locality'), on(change.locality === 'may_leave'));
    case 'queue_overflow_after': return ofQueue(change.queue, t('queue.overflowAfter'), seconds(change.seconds));
    case 'queue_overflow_to': return ofQueue(change.queue, t('queue.overflowTo'), change.to.join(', ') || t('none'));
    case 'queue_routing': return ofQueue(change.queue, t('routing.title'), t(`routing.${change.routing.strategy}`));
    case 'queue_callback': return ofQueue(change.queue, t('callback.title'), written);
    case 'queue_dispositions': return ofQueue(change.queue, t('disposition.title'), written);
    case 'queue_alerts': return ofQueue(change.queue, t('path.fields.alerts'), written);
    case 'agent_add': return ofAgent(change.agent, added);
    case 'agent_remove': return ofAgent(change.agent, removed);
    case 'agent_badge': return ofAgent(change.agent, t('agent.badge'), change.badge);
    case 'agent_phone': return ofAgent(change.agent, t('agent.phone'), change.phone ?? t('none'));
    case 'agent_skill': return ofAgent(change.agent, t('agent.skills'), level(change.skill, change.level));
    case 'agent_queue': return ofAgent(change.agent, t('agent.queues'), `${change.member ? '+' : '−'} ${queue(change.queue)}`);
    case 'phone_add': return say(`${t('agent.phone')} ${change.phone}`, added);
    case 'phone_remove': return say(`${t('agent.phone')} ${change.phone}`, removed);
    case 'phone_number': return say(`${t('agent.phone')} ${change.phone}`, t('numbers.number'), change.number ?? t('none'));
    case 'phone_place': return say(`${t('agent.phone')} ${change.phone}`, t('site.place'), change.place ?? t('none'));
    case 'phone_protection': return say(`${t('agent.phone')} ${change.phone}`, t('protection.name'), t(`protection.${change.protection}`));
    case 'phone_forward': return say(`${t('agent.phone')} ${change.phone}`, t('forward.name'), forwardText(t, change.forward) ?? t('none'));
    case 'trunk_put': return say(`${t('history.trunk')} ${change.value.label}`, written, change.value.kind.peer);
    case 'trunk_remove': return say(`${t('history.trunk')} ${trunk(change.trunk)}`, removed);
    case 'number_put': return say(`${t('numbers.number')} ${change.number}`, t('numbers.flow'), flow(change.flow));
    case 'number_remove': return say(`${t('numbers.number')} ${change.number}`, removed);
    case 'flow_put': return say(`${t('history.flow')} ${change.value.label}`, written);
    case 'flow_roll_back': return say(`${t('history.flow')} ${flow(change.flow)}`, t('history.rolledBack'));
    case 'flow_remove': return say(`${t('history.flow')} ${flow(change.flow)}`, removed);
    case 'hours_add': return ofHours(change.hours, added);
    case 'hours_remove': return ofHours(change.hours, removed);
    case 'hours_week': return ofHours(change.hours, t('hours.week'), t('hours.open', { hours: Math.round(change.week.reduce((sum, s) => sum + s.to_min - s.from_min, 0) / 6) / 10 }));
    case 'hours_closed': return ofHours(change.hours, t('hours.closedDay'), `${change.closed ? '+' : '−'} ${change.day}`);
  }
}
