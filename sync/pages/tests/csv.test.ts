import { expect, test } from 'vitest';
import type { Contact } from '../desk/src/api';
import { csv } from '../desk/src/contacts/csv';

const contact = (over: object) => ({
  contact: 'c1', direction: 'inbound', trunk: null, number: null, arrived: Date.UTC(2026, 10, 29, 1, 2, 3), queue: 'sales', queued: 1, answered: 2, ended: 3, agent: 'li',
  answered_at: null, outcome: 'answered', cause: 'caller', wait_ms: 14_250, talk_ms: 60_000, hold_ms: 0, wrap_up_ms: null, offers: 1, recording: null, caller: null, notes: [], ...over,
}) as unknown as Contact;
const lines = (rows: Contact[]) => csv(rows).replace('\uFEFF', '').split('\r\n');

test('a row has a cell for every column, and what is not known is empty', () => {
  const [head, row, end] = lines([contact({})]);
  expect(head?.split(',').length).toBe(row?.split(',').length);
  expect(row).toBe('c1,inbound,2026-11-29T01:02:03.000Z,sales,li,,answered,caller,14.3,60,0,,1,,,,,,');
  expect(end).toBe('');
});

test('quotes, commas and lines within a name stay in their cell, and no name becomes a formula', () => {
  const of = (name: string) => csv([contact({ caller: { number: '+8613800000001', name } })]);
  expect(of('Wei, "Lao" Zhang')).toContain(',+8613800000001,"Wei, ""Lao"" Zhang",,,,\r\n');
  expect(of('a\r\nb')).toContain('"a\r\nb"');
  for (const bad of ['=cmd()', '+cmd', '-2+3', '@sum', '\tx']) expect(of(bad)).toContain(`,'${bad}`);
});

test('what came of it is its code, and notes say who wrote them', () => {
  const notes = [{ agent: 'li', at: 1, text: '=cmd()' }, { agent: 'wang', at: 2, text: 'a "b"\nc' }];
  expect(csv([contact({ disposition: { code: 'sold' }, notes })])).toContain(',sold,"li: =cmd()\nwang: a ""b""\nc",,\r\n');
  expect(lines([contact({ disposition: 'none_chosen' })])[1]).toMatch(/,none_chosen,,,$/);
  const corrected = { by: 'zhao', at: Date.UTC(2026, 10, 30) };
  expect(lines([contact({ disposition: { code: 'sold' }, corrected })])[1]).toMatch(/,sold,,zhao,2026-11-30T00:00:00.000Z$/);
});
