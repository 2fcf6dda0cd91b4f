import i18next from 'i18next';
import { beforeAll, expect, test } from 'vitest';
import { described } from '../console/src/site/described';
import { en } from '../console/src/text/en';
import { zh } from '../console/src/text/zh';
import { changes, config } from '../shared/src/samples';
import { en as sharedEn } from '../shared/src/text/en';
import { zh as sharedZh } from '../shared/src/text/zh';

beforeAll(() => i18next.init({ lng: 'en', resources: { en: { translation: { ...sharedEn, ...en } }, zh: { translation: { ...sharedZh, ...zh } } }, interpolation: { escapeValue: false } }));

test.each(['en', 'zh'])('every kind of change has words in %s, and none shows an object', (language) => {
  const t = i18next.getFixedT(language);
  for (const change of changes) {
    const { of, field, value } = described(t, config, change);
    for (const text of [of, field, value ?? 'x']) {
      expect(text, change.set).not.toMatch(/\[object|undefined|\{\{|^[a-z]+(\.[a-zA-Z]+)+$/);
      expect(text.trim(), change.set).not.toBe('');
    }
  }
});

test('things are named as people named them', () => {
  const t = i18next.getFixedT('en');
  expect(described(t, config, { set: 'queue_ring', queue: 'sales', seconds: 15 })).toEqual({ of: 'Queue Sales', field: 'Ring time', value: '15 s' });
  expect(described(t, config, { set: 'agent_queue', agent: 'li', queue: 'gone', member: false })).toEqual({ of: 'Agent Li', field: 'Queues', value: '− gone' });
});
