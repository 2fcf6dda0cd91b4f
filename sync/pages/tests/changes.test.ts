import { expect, test } from 'vitest';
import { NEW_AGENT, NEW_HOURS, NEW_QUEUE, agentChanges, byDoc, hoursChanges, queueChanges } from '../shared/src/edit/changes';

test('what nobody touched makes no change', () => {
  expect(queueChanges('a', NEW_QUEUE, { ...NEW_QUEUE })).toEqual([]);
  expect(agentChanges('a', NEW_AGENT, { ...NEW_AGENT })).toEqual([]);
  expect(hoursChanges('a', NEW_HOURS, { ...NEW_HOURS, week: [...NEW_HOURS.week].reverse() })).toEqual([]);
});

test('each touched field is one change, and the others are left alone', () => {
  const is = { ...NEW_QUEUE, ring_s: 25, skills: { english: 4 }, overflow: { ...NEW_QUEUE.overflow, to: ['south'] } };
  expect(queueChanges('sales', { ...NEW_QUEUE, skills: { sales: 2 } }, is)).toEqual([
    { set: 'queue_ring', queue: 'sales', seconds: 25 },
    { set: 'queue_skill', queue: 'sales', skill: 'sales', level: null },
    { set: 'queue_skill', queue: 'sales', skill: 'english', level: 4 },
    { set: 'queue_overflow_to', queue: 'sales', to: ['south'] },
  ]);
});

test('joining and leaving queues are changes of their own', () => {
  expect(agentChanges('li', { ...NEW_AGENT, queues: ['a', 'b'] }, { ...NEW_AGENT, queues: ['b', 'c'] })).toEqual([
    { set: 'agent_queue', agent: 'li', queue: 'a', member: false },
    { set: 'agent_queue', agent: 'li', queue: 'c', member: true },
  ]);
});

test('a closed day more and one less do not touch the week', () => {
  const was = { ...NEW_HOURS, closed: ['2026-12-25'] };
  expect(hoursChanges('office', was, { ...was, closed: ['2027-01-01'] })).toEqual([
    { set: 'hours_closed', hours: 'office', day: '2026-12-25', closed: false },
    { set: 'hours_closed', hours: 'office', day: '2027-01-01', closed: true },
  ]);
});

test('the day goes to the local document and the plan to the site, in the order they were made', () => {
  const runs = byDoc([
    { set: 'queue_label', queue: 'a', label: 'A' },
    { set: 'queue_ring', queue: 'a', seconds: 20 },
    { set: 'queue_wrap_up', queue: 'a', seconds: 5 },
    { set: 'queue_recorded', queue: 'a', recorded: true },
  ]);
  expect(runs.map((run) => [run.doc, run.changes.length])).toEqual([['site', 1], ['local', 2], ['site', 1]]);
});
