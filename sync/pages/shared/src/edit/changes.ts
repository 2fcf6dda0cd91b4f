// From what stands and what somebody typed to the typed edits that make the difference: one field, one change, so that
// two people who edit different fields both keep their work.
import type { Agent, Change, Doc, Hours, Queue } from '../model';

/** The fields a branch may adjust by itself. The rest is planned by the centre. */
const LOCAL: ReadonlySet<Change['set']> = new Set<Change['set']>([
  'queue_music',
  'queue_position_every',
  'queue_ring',
  'queue_wrap_up',
  'queue_service_level',
  'queue_hours',
  'queue_closed',
  'queue_callback',
  'queue_dispositions',
  'queue_alerts',
  'site_closed',
  'site_drill',
  'pause_put',
  'pause_remove',
  'disposition_put',
  'disposition_remove',
  'agent_add',
  'agent_remove',
  'agent_badge',
  'agent_phone',
  'agent_skill',
  'agent_queue',
  'phone_add',
  'phone_remove',
  'hours_add',
  'hours_remove',
  'hours_week',
  'hours_closed',
]);

/** Where a change belongs: both sides adjust the day in `local`, where it wins over the plan in `site`. */
export function docOf(change: Change): Doc {
  return LOCAL.has(change.set) ? 'local' : 'site';
}

/** Runs of changes that go to the same document, in order. */
export function byDoc(changes: readonly Change[]): { doc: Doc; changes: Change[] }[] {
  const runs: { doc: Doc; changes: Change[] }[] = [];
  for (const change of changes) {
    const last = runs.at(-1);
    const doc = docOf(change);
    if (last?.doc === doc) last.changes.push(change);
    else runs.push({ doc, changes: [change] });
  }
  return runs;
}

export function queueChanges(queue: string, was: Queue, is: Queue): Change[] {
  const out: Change[] = [];
  if (is.label !== was.label) out.push({ set: 'queue_label', queue, label: is.label });
  if (is.ring_s !== was.ring_s) out.push({ set: 'queue_ring', queue, seconds: is.ring_s });
  if (is.wrap_up_s !== was.wrap_up_s) out.push({ set: 'queue_wrap_up', queue, seconds: is.wrap_up_s });
  if (is.service_level_s !== was.service_level_s)
    out.push({ set: 'queue_service_level', queue, seconds: is.service_level_s });
  if (is.position_every_s !== was.position_every_s)
    out.push({ set: 'queue_position_every', queue, seconds: is.position_every_s });
  if (is.music !== was.music) out.push({ set: 'queue_music', queue, prompt: is.music });
  if (is.hours !== was.hours) out.push({ set: 'queue_hours', queue, hours: is.hours });
  if (is.recorded !== was.recorded) out.push({ set: 'queue_recorded', queue, recorded: is.recorded });
  if (JSON.stringify(is.recording) !== JSON.stringify(was.recording)) out.push({ set: 'queue_recording', queue, recording: is.recording });
  if (is.closed !== was.closed) out.push({ set: 'queue_closed', queue, closed: is.closed });
  for (const [skill, level] of levels(was.skills, is.skills)) out.push({ set: 'queue_skill', queue, skill, level });
  const { overflow } = is;
  if (overflow.locality !== was.overflow.locality)
    out.push({ set: 'queue_locality', queue, locality: overflow.locality });
  if (overflow.after_s !== was.overflow.after_s)
    out.push({ set: 'queue_overflow_after', queue, seconds: overflow.after_s });
  if (overflow.to.join() !== was.overflow.to.join()) out.push({ set: 'queue_overflow_to', queue, to: overflow.to });
  if (JSON.stringify(is.routing) !== JSON.stringify(was.routing)) out.push({ set: 'queue_routing', queue, routing: is.routing });
  if (JSON.stringify(is.callback) !== JSON.stringify(was.callback)) out.push({ set: 'queue_callback', queue, callback: is.callback });
  if (JSON.stringify(is.dispositions) !== JSON.stringify(was.dispositions)) out.push({ set: 'queue_dispositions', queue, dispositions: is.dispositions });
  if (JSON.stringify(is.alerts) !== JSON.stringify(was.alerts)) out.push({ set: 'queue_alerts', queue, alerts: is.alerts });
  return out;
}

export function agentChanges(agent: string, was: Agent, is: Agent): Change[] {
  const out: Change[] = [];
  if (is.badge !== was.badge) out.push({ set: 'agent_badge', agent, badge: is.badge });
  if (is.phone !== was.phone) out.push({ set: 'agent_phone', agent, phone: is.phone });
  for (const [skill, level] of levels(was.skills, is.skills)) out.push({ set: 'agent_skill', agent, skill, level });
  for (const queue of new Set([...was.queues, ...is.queues])) {
    const member = is.queues.includes(queue);
    if (member !== was.queues.includes(queue)) out.push({ set: 'agent_queue', agent, queue, member });
  }
  return out;
}

export function hoursChanges(hours: string, was: Hours, is: Hours): Change[] {
  const out: Change[] = [];
  const spans = (of: Hours) => JSON.stringify(of.week.map((s) => [s.day, s.from_min, s.to_min]).sort());
  if (spans(is) !== spans(was)) out.push({ set: 'hours_week', hours, week: is.week });
  for (const day of new Set([...was.closed, ...is.closed])) {
    const closed = is.closed.includes(day);
    if (closed !== was.closed.includes(day)) out.push({ set: 'hours_closed', hours, day, closed });
  }
  return out;
}

function levels(was: Record<string, number>, is: Record<string, number>): [string, number | null][] {
  const skills = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...skills].filter((s) => was[s] !== is[s]).map((s) => [s, is[s] ?? null]);
}

export const NEW_QUEUE: Queue = {
  label: '',
  skills: {},
  music: 'music',
  position_every_s: 30,
  ring_s: 15,
  wrap_up_s: 15,
  service_level_s: 20,
  hours: null,
  recorded: true,
  recording: { consent: 'not_asked', pause_s: 0 },
  closed: false,
  overflow: { locality: 'local_only', after_s: 60, to: [] },
  routing: { strategy: 'longest_idle', ageing_s: 300, last_agent_s: 0, tiers: [], reserve: { agents: 0, value: 1 } },
  callback: { offer_after_s: null, attempts: 3, again_min: 15, hours: null },
  dispositions: { only: [], required: false },
  alerts: { longest_wait_s: null, waiting: null, service_level: null, abandoned: null, unserved: false, quality: true },
};

export const NEW_AGENT: Agent = { badge: '', phone: null, skills: {}, queues: [] };

export const NEW_HOURS: Hours = {
  label: '',
  week: [0, 1, 2, 3, 4].map((day) => ({ day, from_min: 540, to_min: 1080 })),
  closed: [],
};
