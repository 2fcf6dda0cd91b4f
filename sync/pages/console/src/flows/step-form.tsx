// The fields of one step, beside the drawing.
import { ActionIcon, Autocomplete, Box, Button, Group, NumberInput, Select, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { IconPlus, IconTrash, IconX } from '@tabler/icons-react';
import { type Config, type Flow, type Part, SLUG, type Source, type Step, type Test, type Value } from '@shared/model';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { lead, ways, waysOf } from './steps';

interface Props {
  config: Config;
  flow: Flow;
  id: string;
  step: Step;
  off: boolean;
  notes: ReactNode;
  set: (step: Step) => void;
  rename: (to: string) => void;
  remove: () => void;
  begin: () => void;
}

const KEYS = [...'1234567890*#'];

export function StepForm({ config, flow, id, step, off, notes, set, rename, remove, begin }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState(id);
  const steps = Object.keys(flow.steps);
  const variables = Object.keys(flow.variables ?? {});
  const put = (part: object) => set({ ...step, ...part } as Step);
  const labelled = (all: Record<string, { label: string }>) => Object.entries(all).map(([value, { label }]) => ({ value, label: label || value }));
  const choose = (label: string, value: string, data: (string | { value: string; label: string })[], change: (to: string) => void) => (
    <Select label={label} data={data.some((one) => (typeof one === 'string' ? one : one.value) === value) || value === '' ? data : [...data, value]} value={value || null} placeholder={t('flows.choose')} searchable allowDeselect={false} disabled={off} onChange={(to) => to !== null && change(to)} />
  );
  const count = (label: string, field: string, value: number, min: number, max: number) => (
    <NumberInput label={label} value={value} min={min} max={max} allowDecimal={false} disabled={off} onChange={(to) => put({ [field]: Number(to) })} />
  );
  const text = (label: string, field: string, value: string) => <TextInput label={label} value={value} disabled={off} maxLength={200} onChange={(e) => put({ [field]: e.currentTarget.value })} />;
  const bad = name !== id && (!SLUG.test(name) || steps.includes(name));
  const free = step.do === 'menu' ? KEYS.filter((key) => !(key in step.choices)) : [];
  return (
    <Stack gap="sm" role="group" aria-label={`${t(`flows.kind.${step.do}`)} ${id}`}>
      <Group justify="space-between" wrap="nowrap">
        <Text fw={600}>{t(`flows.kind.${step.do}`)}</Text>
        {!off && <ActionIcon variant="subtle" color="red" onClick={remove} aria-label={t('flows.removeStep')}><IconTrash size={17} /></ActionIcon>}
      </Group>
      {notes}
      <TextInput label={t('flows.name')} value={name} disabled={off} maxLength={40} error={bad && t('flows.nameBad')} onChange={(e) => setName(e.currentTarget.value)} onBlur={() => (bad ? setName(id) : name !== id && rename(name))} />
      {'prompt' in step && text(t('flows.prompt'), 'prompt', step.prompt)}
      {step.do === 'say' && <Parts parts={step.parts} variables={variables} off={off} set={(parts) => put({ parts })} />}
      {step.do === 'digits' && (
        <>
          {choose(t('flows.into'), step.into, variables, (into) => put({ into }))}
          <Group grow>{count(t('flows.min'), 'min', step.min, 1, 20)}{count(t('flows.max'), 'max', step.max, 1, 20)}</Group>
        </>
      )}
      {step.do === 'open' && choose(t('flows.hours'), step.hours, labelled(config.hours), (hours) => put({ hours }))}
      {step.do === 'if' && <Tests tests={step.all} config={config} flow={flow} off={off} set={(all) => put({ all })} />}
      {step.do === 'set' && (
        <>
          {choose(t('flows.variable'), step.variable, variables, (variable) => put({ variable, to: flow.variables?.[variable] ?? step.to }))}
          <Valued label={t('flows.value')} value={step.to} off={off} set={(to) => put({ to })} />
        </>
      )}
      {step.do === 'look_up' && (
        <>
          {text(t('flows.url'), 'url', step.url)}
          {count(t('flows.waitMs'), 'wait_ms', step.wait_ms, 100, 10000)}
          <Sent send={step.send ?? {}} variables={variables} off={off} set={(send) => put({ send })} />
          <Taken take={step.take ?? {}} variables={variables} off={off} set={(take) => put({ take })} />
        </>
      )}
      {step.do === 'survey' && count(t('flows.best'), 'best', step.best, 3, 9)}
      {step.do === 'consent' && (
        <Group grow>
          <Select label={t('flows.agree')} data={KEYS} value={step.agree} allowDeselect={false} disabled={off} error={step.agree === step.refuse} onChange={(agree) => agree !== null && put({ agree })} />
          <Select label={t('flows.refuse')} data={KEYS} value={step.refuse} allowDeselect={false} disabled={off} error={step.agree === step.refuse} onChange={(refuse) => refuse !== null && put({ refuse })} />
        </Group>
      )}
      {step.do === 'sub_flow' && choose(t('flows.flow'), step.flow, labelled(config.flows), (to) => put({ flow: to }))}
      {step.do === 'transfer' && (
        <>
          {choose(t('flows.phone'), step.phone, Object.entries(config.phones).map(([value, { label }]) => ({ value, label: `${value} ${label}` })), (phone) => put({ phone }))}
          {count(t('flows.ring'), 'ring_s', step.ring_s, 5, 120)}
        </>
      )}
      {(step.do === 'queue' || step.do === 'callback' || step.do === 'voicemail') && choose(t('flows.queue'), step.queue, labelled(config.queues), (queue) => put({ queue }))}
      {step.do === 'callback' && (
        <Select label={t('flows.number')} data={[{ value: '@caller', label: t('flows.caller') }, ...variables]} value={step.number ?? '@caller'} allowDeselect={false} disabled={off} onChange={(to) => to !== null && put({ number: to === '@caller' ? undefined : to })} />
      )}
      {step.do === 'voicemail' && count(t('flows.messageMax'), 'max_s', step.max_s, 10, 600)}
      {'wait_s' in step && count(t('flows.wait'), 'wait_s', step.wait_s, 1, 60)}
      {'tries' in step && count(t('flows.tries'), 'tries', step.tries, 1, 10)}
      {ways(step).map(({ way, key, to }) => (
        <Group key={`${way}${key ?? ''}`} align="flex-end" wrap="nowrap" gap="xs">
          <Box style={{ flex: 1 }}>{choose(way === 'key' ? t('flows.way.key', { key: key ?? '' }) : t(`flows.way.${way}`), to, steps, (next) => set(lead(step, way, next, key)))}</Box>
          {!off && (key !== undefined || step.do === 'queue') && (
            <ActionIcon mb={4} variant="subtle" color="gray" aria-label={t('flows.removeWay')} onClick={() => {
              if (step.do === 'menu' && key !== undefined) put({ choices: Object.fromEntries(Object.entries(step.choices).filter(([each]) => each !== key)) });
              else put({ [way]: undefined });
            }}><IconX size={16} /></ActionIcon>
          )}
        </Group>
      ))}
      {!off && free[0] !== undefined && step.do === 'menu' && <Button size="compact-sm" variant="light" leftSection={<IconPlus size={14} />} onClick={() => put({ choices: { ...step.choices, [free[0]!]: step.otherwise } })}>{t('flows.addKey')}</Button>}
      {!off && waysOf(step.do).includes('after') && !('after' in step && step.after) && steps.length > 1 && <Button size="compact-sm" variant="light" onClick={() => put({ after: steps.find((other) => other !== id) })}>{t('flows.addAfter')}</Button>}
      {!off && step.do === 'queue' && !step.otherwise && steps.length > 1 && <Button size="compact-sm" variant="light" onClick={() => put({ otherwise: steps.find((other) => other !== id) })}>{t('flows.addOtherwise')}</Button>}
      {!off && flow.start !== id && <Button size="compact-sm" variant="default" onClick={begin}>{t('flows.beginHere')}</Button>}
    </Stack>
  );
}

/** A value keeps its type. */
export function Valued({ label, value, off, set }: { label: string; value: Value; off: boolean; set: (value: Value) => void }) {
  const { t } = useTranslation();
  if (typeof value === 'boolean')
    return <Select label={label} data={[{ value: 'true', label: t('flows.yes') }, { value: 'false', label: t('flows.no') }]} value={String(value)} allowDeselect={false} disabled={off} onChange={(to) => set(to === 'true')} />;
  if (typeof value === 'number') return <NumberInput label={label} value={value} allowDecimal={false} disabled={off} onChange={(to) => set(Number(to))} />;
  return <TextInput label={label} value={value} maxLength={200} disabled={off} onChange={(e) => set(e.currentTarget.value)} />;
}

/** Rows that can be added and taken away. */
function Rows<R>({ title, rows, most, off, add, set, row }: { title: string; rows: R[]; most: number; off: boolean; add: () => R; set: (rows: R[]) => void; row: (one: R, put: (one: R) => void) => ReactNode }) {
  const { t } = useTranslation();
  return (
    <Box>
      <Text size="sm" fw={500} mb={4}>{title}</Text>
      <Stack gap={6}>
        {rows.map((one, at) => (
          <Group key={at} gap={6} wrap="nowrap" align="flex-start">
            <Box style={{ flex: 1 }}>{row(one, (is) => set(rows.map((each, n) => (n === at ? is : each))))}</Box>
            {!off && <ActionIcon variant="subtle" color="gray" mt={4} aria-label={t('flows.removeRow')} onClick={() => set(rows.filter((_, n) => n !== at))}><IconX size={16} /></ActionIcon>}
          </Group>
        ))}
        {!off && rows.length < most && <Button size="compact-sm" variant="light" leftSection={<IconPlus size={14} />} onClick={() => set([...rows, add()])}>{t('flows.addRow')}</Button>}
      </Stack>
    </Box>
  );
}

function Parts({ parts, variables, off, set }: { parts: Part[]; variables: string[]; off: boolean; set: (parts: Part[]) => void }) {
  const { t, i18n } = useTranslation();
  return (
    <Rows title={t('flows.parts')} rows={parts} most={12} off={off} set={set} add={() => ({ prompt: 'greeting' })} row={(part, put) => (
      <Stack gap={6}>
        <Group grow gap={6}>
          <Select aria-label={t('flows.partKind')} data={[{ value: 'prompt', label: t('flows.prompt') }, { value: 'digits', label: t('flows.spoken') }, { value: 'speech', label: t('flows.words') }]} value={Object.keys(part)[0] ?? null} allowDeselect={false} disabled={off} onChange={(kind) => put(partOf(kind, i18n.language, variables))} />
          {'prompt' in part && <TextInput aria-label={t('flows.prompt')} value={part.prompt} disabled={off} onChange={(e) => put({ prompt: e.currentTarget.value })} />}
          {'digits' in part && <Select aria-label={t('flows.variable')} data={variables} value={part.digits} disabled={off} onChange={(to) => to !== null && put({ digits: to })} />}
          {'speech' in part && <Autocomplete aria-label={t('flows.language')} data={VOICES} value={part.speech.language} maxLength={40} error={!SLUG.test(part.speech.language)} disabled={off} onChange={(language) => put({ speech: { ...part.speech, language } })} />}
        </Group>
        {'speech' in part && <Textarea aria-label={t('flows.words')} placeholder={t('flows.wordsHint')} value={part.speech.text} autosize minRows={2} maxRows={6} maxLength={300} disabled={off} onChange={(e) => put({ speech: { ...part.speech, text: e.currentTarget.value } })} />}
      </Stack>
    )} />
  );
}

/** Some of the languages that eSpeak NG speaks, by its names. */
const VOICES = ['cmn', 'de', 'en', 'en-us', 'es', 'fr-fr', 'it', 'ja', 'ko', 'pt', 'ru', 'yue'];

/** As a part of this kind begins. */
function partOf(kind: string | null, spoken: string, variables: string[]): Part {
  switch (kind) {
    case 'digits': return { digits: variables[0] ?? '' };
    case 'speech': return { speech: { language: spoken.startsWith('zh') ? 'cmn' : 'en', text: '' } };
    default: return { prompt: 'greeting' };
  }
}

function Sent({ send, variables, off, set }: { send: Record<string, Source>; variables: string[]; off: boolean; set: (send: Record<string, Source>) => void }) {
  const { t } = useTranslation();
  const data = [{ value: '@caller', label: t('flows.caller') }, { value: '@called', label: t('flows.called') }, ...variables];
  const source = (value: string): Source => (value === '@caller' ? 'caller' : value === '@called' ? 'called' : { variable: value });
  return (
    <Rows title={t('flows.send')} rows={Object.entries(send)} most={16} off={off} set={(rows) => set(Object.fromEntries(rows))} add={() => [`field-${Object.keys(send).length + 1}`, 'caller'] as [string, Source]} row={([field, from], put) => (
      <Group grow gap={6}>
        <TextInput aria-label={t('flows.field')} value={field} disabled={off} onChange={(e) => put([e.currentTarget.value, from])} />
        <Select aria-label={t('flows.value')} data={data} value={typeof from === 'string' ? `@${from}` : from.variable} allowDeselect={false} disabled={off} onChange={(to) => to !== null && put([field, source(to)])} />
      </Group>
    )} />
  );
}

function Taken({ take, variables, off, set }: { take: Record<string, string>; variables: string[]; off: boolean; set: (take: Record<string, string>) => void }) {
  const { t } = useTranslation();
  const free = variables.filter((one) => !(one in take));
  return (
    <Rows title={t('flows.take')} rows={Object.entries(take)} most={free.length + Object.keys(take).length} off={off} set={(rows) => set(Object.fromEntries(rows))} add={() => [free[0] ?? '', free[0] ?? ''] as [string, string]} row={([variable, field], put) => (
      <Group grow gap={6}>
        <TextInput aria-label={t('flows.field')} value={field} disabled={off} onChange={(e) => put([variable, e.currentTarget.value])} />
        <Select aria-label={t('flows.variable')} data={[variable, ...free]} value={variable} allowDeselect={false} disabled={off} onChange={(to) => to !== null && put([to, field])} />
      </Group>
    )} />
  );
}

const TESTS: readonly Test['is'][] = ['withheld', 'inside', 'caller_begins', 'open', 'takes', 'waiting', 'wait_longer', 'served', 'equal', 'at_least'];

function Tests({ tests, config, flow, off, set }: { tests: Test[]; config: Config; flow: Flow; off: boolean; set: (tests: Test[]) => void }) {
  const { t } = useTranslation();
  const first = (all: object) => Object.keys(all)[0] ?? '';
  const variables = flow.variables ?? {};
  const fresh = (is: Test['is']): Test => {
    switch (is) {
      case 'caller_begins': return { is, with: ['+'] };
      case 'open': return { is, hours: first(config.hours) };
      case 'waiting': return { is, queue: first(config.queues), more_than: 5 };
      case 'wait_longer': return { is, queue: first(config.queues), than_s: 120 };
      case 'takes':
      case 'served': return { is, queue: first(config.queues) };
      case 'equal': return { is, variable: first(variables), to: variables[first(variables)] ?? true };
      case 'at_least': return { is, variable: first(variables), number: 1 };
      default: return { is };
    }
  };
  const pick = (label: string, value: string, data: string[], change: (to: string) => void) => <Select aria-label={label} data={data.includes(value) || value === '' ? data : [...data, value]} value={value || null} allowDeselect={false} disabled={off} onChange={(to) => to !== null && change(to)} />;
  return (
    <Rows title={t('flows.tests')} rows={tests} most={8} off={off} set={set} add={() => fresh('withheld')} row={(test, put) => (
      <Stack gap={6}>
        <Select aria-label={t('flows.tests')} data={TESTS.map((value) => ({ value, label: t(`flows.test.${value}`) }))} value={test.is} allowDeselect={false} disabled={off} onChange={(is) => is !== null && put(fresh(is as Test['is']))} />
        {'hours' in test && pick(t('flows.hours'), test.hours, Object.keys(config.hours), (hours) => put({ ...test, hours }))}
        {'queue' in test && pick(t('flows.queue'), test.queue, Object.keys(config.queues), (queue) => put({ ...test, queue }))}
        {'variable' in test && pick(t('flows.variable'), test.variable, Object.keys(variables), (variable) => put(test.is === 'equal' ? { ...test, variable, to: variables[variable] ?? test.to } : { ...test, variable }))}
        {test.is === 'equal' && <Valued label={t('flows.value')} value={test.to} off={off} set={(to) => put({ ...test, to })} />}
        {test.is === 'at_least' && <NumberInput aria-label={t('flows.value')} value={test.number} allowDecimal={false} disabled={off} onChange={(to) => put({ ...test, number: Number(to) })} />}
        {test.is === 'waiting' && <NumberInput aria-label={t('flows.test.waiting')} value={test.more_than} min={0} max={2000} disabled={off} onChange={(to) => put({ ...test, more_than: Number(to) })} />}
        {test.is === 'wait_longer' && <NumberInput aria-label={t('flows.test.wait_longer')} value={test.than_s} min={0} max={86400} disabled={off} onChange={(to) => put({ ...test, than_s: Number(to) })} />}
        {test.is === 'caller_begins' && <TextInput aria-label={t('flows.test.caller_begins')} value={test.with.join(' ')} disabled={off} onChange={(e) => put({ ...test, with: e.currentTarget.value.split(/\s+/) })} />}
      </Stack>
    )} />
  );
}
