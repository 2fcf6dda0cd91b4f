// The flows of a branch: one draft, two editors (a drawing and a text), what is wrong with it, and its versions.
import { Alert, Badge, Box, Button, Card, Group, List, Modal, SegmentedControl, Select, Skeleton, Stack, Table, Text, TextInput, Textarea } from '@mantine/core';
import { IconAlertCircle, IconPlus, IconRoute } from '@tabler/icons-react';
import { RemoveButton, SaveBar, useApply, type Place } from '@shared/edit/editing';
import { dayAndTime } from '@shared/format';
import { type Flow, SLUG, type Value } from '@shared/model';
import { problemText, refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { flowOf, flowVersions, type LookedAt, textOf } from '../api';
import { Valued } from './step-form';
import './flows.css';

const Drawing = lazy(() => import('./drawing'));
/** Nobody asks at every key. */
const PAUSE_MS = 400;

export function FlowsEditor({ site, place }: { site: string; place: Place }) {
  const { t } = useTranslation();
  const flows = Object.entries(place.config.flows);
  const [chosen, choose] = useState<string | null>(flows[0]?.[0] ?? null);
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState('');
  const { apply, busy, error, clear } = useApply(place);
  const bad = name !== '' && (!SLUG.test(name) || name in place.config.flows);
  const first: Flow = { label: name, start: 'end', steps: { end: { do: 'hangup' } } };
  const add = !place.readOnly && <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setName(''); setAdding(true); }}>{t('flows.add')}</Button>;
  const flow = chosen === null ? undefined : place.config.flows[chosen];
  return (
    <>
      {flows.length === 0 ? (
        <Card><Empty icon={<IconRoute size={24} />} title={t('flows.none')} action={add}>{t('flows.noneText')}</Empty></Card>
      ) : (
        <Group mb="md" align="flex-end">
          <Select label={t('flows.flow')} data={flows.map(([value, { label }]) => ({ value, label: label || value }))} value={chosen} allowDeselect={false} onChange={choose} />
          {add}
        </Group>
      )}
      {chosen !== null && flow !== undefined && <OneFlow key={chosen} site={site} id={chosen} stands={flow} place={place} gone={() => choose(flows.find(([id]) => id !== chosen)?.[0] ?? null)} />}
      <Modal opened={adding} onClose={() => setAdding(false)} title={t('flows.add')} closeButtonProps={{ 'aria-label': t('close') }}>
        <form onSubmit={(event) => {
          event.preventDefault();
          void apply([{ set: 'flow_put', flow: name, value: first }]).then((done) => { if (done) { choose(name); setAdding(false); } });
        }}>
          <Stack>
            {error !== null && <Text c="var(--mantine-color-error)" size="sm" role="alert">{refusalText(t, error)}</Text>}
            <TextInput label={t('flows.id')} description={t('flows.idHint')} value={name} required data-autofocus maxLength={40} error={bad && t('flows.nameBad')} onChange={(e) => setName(e.currentTarget.value)} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={() => setAdding(false)}>{t('cancel')}</Button>
              <Button type="submit" loading={busy} disabled={name === '' || bad}>{t('add')}</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

function OneFlow({ site, id, stands, place, gone }: { site: string; id: string; stands: Flow; place: Place; gone: () => void }) {
  const { t } = useTranslation();
  const off = place.readOnly;
  const [draft, setDraft] = useState(stands);
  const [base, setBase] = useState(() => JSON.stringify(stands));
  const [text, setText] = useState<string | null>(null);
  const [badText, setBadText] = useState<unknown>(null);
  const [looked, setLooked] = useState<LookedAt | null>(null);
  const [view, setView] = useState('drawing');
  const [step, chooseStep] = useState<string | null>(null);
  const { apply, busy, error, clear } = useApply(place);
  const json = JSON.stringify(draft);
  const dirty = json !== base;
  const standing = JSON.stringify(stands);
  // What others publish is followed until somebody draws.
  useEffect(() => {
    if (standing !== base && !dirty) {
      setDraft(stands);
      setBase(standing);
      setText(null);
    }
  }, [standing, base, dirty, stands]);
  // The cloud looks at the draft: the same check that the branch will make.
  useEffect(() => {
    if (off) return;
    let late = false;
    const wait = setTimeout(() => {
      const asked = text === null ? textOf(JSON.parse(json) as Flow) : flowOf(text);
      asked.then(
        (answer) => {
          if (late) return;
          setLooked(answer);
          setBadText(null);
          if (text !== null && JSON.stringify(answer.flow) !== json) setDraft(answer.flow);
        },
        (refused: unknown) => !late && setBadText(refused),
      );
    }, PAUSE_MS);
    return () => {
      late = true;
      clearTimeout(wait);
    };
  }, [json, text, off]);
  const draw = (flow: Flow) => {
    setText(null);
    setDraft(flow);
  };
  const reset = () => {
    clear();
    setText(null);
    setBadText(null);
    setDraft(stands);
    setBase(standing);
  };
  const found = looked?.found ?? [];
  const faults = useMemo(() => new Set(found.flatMap(({ at }) => (at === null ? [] : [at]))), [found]);
  const notes = (at: string) => found.filter((one) => one.at === at).map((one, n) => <Text key={n} size="sm" c={one.grave ? 'var(--mantine-color-error)' : 'dimmed'}>{problemText(t, one.problem)}</Text>);
  const grave = badText !== null || found.some((one) => one.grave || one.problem.fault === 'no_way_out');
  return (
    <Stack>
      <Card>
        <Group align="flex-end" justify="space-between">
          <Group align="flex-end">
            <TextInput label={t('flows.label')} value={draft.label} maxLength={60} disabled={off} onChange={(e) => draw({ ...draft, label: e.currentTarget.value })} />
            <Language flow={draft} off={off} change={draw} />
          </Group>
          <Group>
            {!off && <SegmentedControl aria-label={t('flows.view')} value={view} onChange={setView} data={[{ value: 'drawing', label: t('flows.drawing') }, { value: 'text', label: t('flows.text') }]} />}
            {!off && <RemoveButton label={t('flows.remove')} text={t('flows.removeText')} remove={async () => { const done = await apply([{ set: 'flow_remove', flow: id }]); if (done) gone(); return done; }} />}
          </Group>
        </Group>
      </Card>
      {badText !== null && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, badText)}</Alert>}
      {found.length > 0 && (
        <Alert color={grave ? 'red' : 'yellow'} variant="light" icon={<IconAlertCircle size={18} />} title={t(grave ? 'flows.cannotRun' : 'flows.lookAt')}>
          <List size="sm">{found.map((one, n) => <List.Item key={n}>{one.at !== null && <Button variant="transparent" size="compact-sm" px={0} me={6} onClick={() => { setView('drawing'); chooseStep(one.at); }}>{one.at}</Button>}{problemText(t, one.problem)}</List.Item>)}</List>
        </Alert>
      )}
      <Card padding={view === 'text' ? 'md' : 0}>
        {view === 'text' ? (
          <Textarea aria-label={t('flows.text')} value={text ?? looked?.text ?? ''} autosize minRows={18} maxRows={40} spellCheck={false} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }} onChange={(e) => setText(e.currentTarget.value)} />
        ) : (
          <Suspense fallback={<Skeleton height={520} role="status" aria-label={t('loading')} />}>
            <Drawing config={place.config} flow={draft} off={off} chosen={step} choose={chooseStep} change={draw} notes={notes} faults={faults} />
          </Suspense>
        )}
      </Card>
      <Variables flow={draft} off={off} change={draw} />
      {looked !== null && looked.ends.length > 0 && (
        <Card>
          <Text fw={600} mb={4}>{t('flows.ends')}</Text>
          <List size="sm">{looked.ends.map(({ at, road }) => <List.Item key={at}>{road.join(' → ')}</List.Item>)}</List>
        </Card>
      )}
      <Versions site={site} id={id} off={off} now={standing} back={(replaced) => apply([{ set: 'flow_roll_back', flow: id, replaced }])} />
      {!off && <SaveBar count={dirty || text !== null ? 1 : 0} busy={busy} error={error} valid={!grave && dirty} save={() => void apply([{ set: 'flow_put', flow: id, value: draft }]).then((done) => { if (done) { setBase(json); setText(null); } })} discard={reset} />}
    </Stack>
  );
}

/** What the flow keeps in mind; the first value says of which type. */
/** What is half written is kept here, and in no flow. */
function Language({ flow, off, change }: { flow: Flow; off: boolean; change: (flow: Flow) => void }) {
  const { t } = useTranslation();
  const [written, write] = useState(flow.language ?? '');
  useEffect(() => write(flow.language ?? ''), [flow.language]);
  const put = (text: string) => {
    write(text);
    const { language: _, ...rest } = flow;
    if (text === '') change(rest);
    else if (SLUG.test(text)) change({ ...rest, language: text });
  };
  return (
    <TextInput label={t('flows.speaks')} description={t('flows.speaksHint')} value={written} maxLength={20} disabled={off} error={written !== '' && !SLUG.test(written) && t('flows.nameBad')} onChange={(e) => put(e.currentTarget.value)} />
  );
}

function Variables({ flow, off, change }: { flow: Flow; off: boolean; change: (flow: Flow) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<string>('text');
  const all = Object.entries(flow.variables ?? {});
  const put = (variables: Record<string, Value>) => change({ ...flow, variables });
  const shown = flow.shown ?? {};
  const show = (variable: string, label: string) => {
    const rest = Object.entries(shown).filter(([other]) => other !== variable);
    const all = Object.fromEntries(label === '' ? rest : [...rest, [variable, label]]);
    change({ ...flow, shown: Object.keys(all).length > 0 ? all : undefined });
  };
  const remove = (variable: string) => {
    const without = <T,>(all: Record<string, T>) => Object.fromEntries(Object.entries(all).filter(([other]) => other !== variable));
    const left = without(shown);
    change({ ...flow, variables: without(flow.variables ?? {}), shown: Object.keys(left).length > 0 ? left : undefined });
  };
  const first: Record<string, Value> = { text: '', number: 0, flag: false };
  if (off && all.length === 0) return null;
  return (
    <Card>
      <Text fw={600} mb={4}>{t('flows.variables')}</Text>
      <Stack gap="xs">
        {all.map(([each, value]) => (
          <Group key={each} align="flex-end" gap="xs">
            <Box w={240}><Valued label={each} value={value} off={off} set={(to) => put({ ...flow.variables, [each]: to })} /></Box>
            <TextInput w={220} label={t('flows.shownAs')} aria-label={`${t('flows.shownAs')}: ${each}`} placeholder={t('flows.shownToNobody')} value={shown[each] ?? ''} maxLength={60} disabled={off || (!(each in shown) && Object.keys(shown).length >= 8)} onChange={(e) => show(each, e.currentTarget.value)} />
            {!off && <RemoveButton label={`${t('flows.removeVariable')} ${each}`} text={t('flows.removeVariableText')} remove={async () => { remove(each); return true; }} />}
          </Group>
        ))}
        {!off && all.length < 32 && (
          <Group align="flex-end" gap="xs">
            <TextInput label={t('flows.newVariable')} value={name} maxLength={40} error={name !== '' && !SLUG.test(name) && t('flows.nameBad')} onChange={(e) => setName(e.currentTarget.value)} />
            <Select label={t('flows.type')} w={140} data={(['text', 'number', 'flag'] as const).map((value) => ({ value, label: t(`flows.types.${value}`) }))} value={kind} allowDeselect={false} onChange={(to) => setKind(to ?? 'text')} />
            <Button variant="light" disabled={!SLUG.test(name) || name in (flow.variables ?? {})} onClick={() => { put({ ...flow.variables, [name]: first[kind] ?? '' }); setName(''); }}>{t('add')}</Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

function Versions({ site, id, off, now, back }: { site: string; id: string; off: boolean; now: string; back: (replaced: number) => Promise<boolean> }) {
  const { t, i18n } = useTranslation();
  const found = useQuery({ queryKey: ['site', site, 'flow-versions', id, now], queryFn: () => flowVersions(site, id) });
  const versions = [...(found.data ?? [])].reverse();
  if (versions.length === 0) return null;
  return (
    <Card>
      <Text fw={600} mb={4}>{t('flows.versions')}</Text>
      <Text size="sm" c="dimmed" mb="xs">{t('flows.versionsText')}</Text>
      <Table>
        <Table.Thead><Table.Tr><Table.Th>{t('flows.replaced')}</Table.Th><Table.Th>{t('flows.label')}</Table.Th><Table.Th>{t('flows.steps')}</Table.Th><Table.Th aria-label={t('flows.rollBack')} /></Table.Tr></Table.Thead>
        <Table.Tbody>
          {versions.map(({ replaced, flow }) => (
            <Table.Tr key={replaced}>
              <Table.Td>{dayAndTime(replaced, i18n.language)}</Table.Td>
              <Table.Td>{flow.label}</Table.Td>
              <Table.Td><Badge variant="light" color="gray">{Object.keys(flow.steps).length}</Badge></Table.Td>
              <Table.Td ta="end">{!off && <RemoveButton label={t('flows.rollBack')} text={t('flows.rollBackText')} remove={() => back(replaced)} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}
