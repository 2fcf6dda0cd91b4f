// How a branch dials: emergency numbers and their nightly test, what leads outside, what is denied, and how much may be spent.
import { ActionIcon, Box, Card, Group, NumberInput, Select, SimpleGrid, Stack, TagsInput, Text, TextInput, Title } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { SaveBar, useApply, useDraft, useFindings, type Place } from '@shared/edit/editing';
import { NUMBER, type Change, type Dialling } from '@shared/model';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

const DIGITS = /^\d*$/;
const CLASS = /^\d{1,15}$/;
const TARIFFS_MAX = 64;

export function DiallingEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const { site, trunks, places } = place.config;
  const stands = { emergency: site.emergency, outward: site.outward, plan: site.dialling };
  const { draft, set, reset } = useDraft(stands, 'dialling');
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const off = place.readOnly;
  const { plan } = draft;
  const put = (part: Partial<Dialling>) => set({ plan: { ...plan, ...part } });
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const changes: Change[] = [
    ...(same(draft.emergency, site.emergency) ? [] : [{ set: 'site_emergency' as const, numbers: draft.emergency }]),
    ...(same(draft.outward, site.outward) ? [] : [{ set: 'site_outward' as const, trunk: draft.outward }]),
    ...(same(plan, site.dialling) ? [] : [{ set: 'site_dialling' as const, dialling: plan }]),
  ];
  const bad = {
    emergency: draft.emergency.some((number) => !NUMBER.test(number)),
    test: plan.test_number !== null && !NUMBER.test(plan.test_number),
    real: plan.test_number !== null && draft.emergency.includes(plan.test_number),
    digits: [plan.prefix, plan.country, plan.national, plan.international].some((text) => !DIGITS.test(text)),
    classes: [...plan.abroad, ...plan.premium].some((text) => !CLASS.test(text)),
  };
  const valid = !Object.values(bad).includes(true);
  const lines = Object.entries(trunks).map(([value, { label }]) => ({ value, label }));
  const digits = (name: 'prefix' | 'country' | 'national' | 'international', max: number) => (
    <TextInput label={t(`dialling.${name}`)} description={t(`dialling.${name}Hint`)} value={plan[name]} maxLength={max} disabled={off} error={!DIGITS.test(plan[name]) && t('dialling.digitsBad')} onChange={(e) => put({ [name]: e.currentTarget.value.trim() })} />
  );
  const count = (name: 'phone_calls_max' | 'phone_hour_max' | 'site_hour_max' | 'test_hour' | 'confirm_days', max: number) => (
    <NumberInput label={t(`dialling.${name}`)} min={0} max={max} clampBehavior="strict" allowDecimal={false} value={plan[name]} disabled={off} onChange={(next) => put({ [name]: Number(next) })} />
  );
  const money = (name: 'home_cents' | 'abroad_cents' | 'phone_hour_cents_max' | 'site_hour_cents_max', max: number) => (
    <NumberInput label={t(`dialling.${name}`)} min={0} max={max / 100} decimalScale={2} fixedDecimalScale clampBehavior="strict" value={plan[name] / 100} disabled={off} onChange={(next) => put({ [name]: Math.round(Number(next) * 100) })} />
  );
  const tags = (name: 'abroad' | 'premium') => (
    <TagsInput label={t(`dialling.${name}`)} description={t(`dialling.${name}Hint`)} inputWrapperOrder={['label', 'input', 'error', 'description']} maxTags={100} value={plan[name]} disabled={off} error={plan[name].some((text) => !CLASS.test(text)) && t('dialling.digitsBad')} onChange={(next) => put({ [name]: [...next].sort() })} />
  );
  return (
    <Box>
      <Stack gap="lg">
        {notes('site/dialling')}
        <Part title={t('dialling.emergency')} text={t('dialling.emergencyText')}>
          <TagsInput label={t('site.emergency')} description={t('dialling.numbersHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} maxTags={32} value={draft.emergency} disabled={off} error={bad.emergency && t('numbers.numberBad')} onChange={(next) => set({ emergency: [...next].sort() })} />
          <Select label={t('dialling.house')} description={t('dialling.houseHint')} placeholder={t('none')} clearable clearButtonProps={{ 'aria-label': t('none') }} disabled={off} data={Object.entries(places).map(([value, { label }]) => ({ value, label: label || value }))} value={plan.place} onChange={(next) => put({ place: next })} />
          <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="lg" style={{ alignItems: 'end' }}>
            <TextInput label={t('dialling.test_number')} description={t('dialling.test_numberHint')} value={plan.test_number ?? ''} disabled={off} error={(bad.test && t('numbers.numberBad')) || (bad.real && t('dialling.test_numberReal'))} onChange={(e) => put({ test_number: e.currentTarget.value.trim() || null })} />
            {count('test_hour', 23)}
            {count('confirm_days', 3650)}
          </SimpleGrid>
        </Part>
        <Part title={t('dialling.ways')}>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
            <Box>
              <Select label={t('site.outward')} placeholder={t('none')} clearable clearButtonProps={{ 'aria-label': t('none') }} disabled={off} data={lines} value={draft.outward} onChange={(next) => set({ outward: next })} />
              {notes('site/outward')}
            </Box>
            <TagsInput label={t('dialling.backup')} description={t('dialling.backupHint')} disabled={off} data={lines.map(({ value }) => value)} value={plan.backup} onChange={(next) => put({ backup: next.filter((trunk) => trunk in trunks) })} />
            {digits('prefix', 3)}
            {digits('country', 3)}
            {digits('national', 3)}
            {digits('international', 5)}
          </SimpleGrid>
        </Part>
        <Part title={t('dialling.caps')} text={t('dialling.capsText')}>
          {tags('abroad')}
          {tags('premium')}
          <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="lg">
            {count('phone_calls_max', 100)}
            {count('phone_hour_max', 10_000)}
            {count('site_hour_max', 100_000)}
          </SimpleGrid>
        </Part>
        <Part title={t('dialling.money')} text={t('dialling.moneyText')}>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
            {money('home_cents', 100_000)}
            {money('abroad_cents', 100_000)}
            {money('phone_hour_cents_max', 100_000_000)}
            {money('site_hour_cents_max', 100_000_000)}
          </SimpleGrid>
          <Tariffs tariffs={plan.tariffs} off={off} set={(tariffs) => put({ tariffs })} />
        </Part>
      </Stack>
      <SaveBar count={changes.length} busy={busy} error={error} valid={valid && !bad.real} discard={() => { clear(); reset(); }} save={() => void apply(changes)} />
    </Box>
  );
}

function Part({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <Card component="section">
      <Title order={2} size="h4" mb={text === undefined ? 'md' : 4}>{title}</Title>
      {text !== undefined && <Text size="sm" c="dimmed" mb="md">{text}</Text>}
      <Stack gap="lg">{children}</Stack>
    </Card>
  );
}

function Tariffs({ tariffs, off, set }: { tariffs: Record<string, number>; off: boolean; set: (tariffs: Record<string, number>) => void }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState('');
  const all = Object.entries(tariffs);
  const add = () => {
    if (CLASS.test(adding) && !(adding in tariffs)) {
      set({ ...tariffs, [adding]: 0 });
      setAdding('');
    }
  };
  return (
    <Box>
      <Text size="sm" fw={500}>{t('dialling.tariffs')}</Text>
      <Text size="xs" c="dimmed" mb={6}>{t('dialling.tariffsHint')}</Text>
      <Stack gap="xs">
        {all.map(([begins, cents]) => (
          <Group key={begins} gap="sm">
            <Text w={160} ff="monospace">+{begins}</Text>
            <NumberInput aria-label={`${t('dialling.tariffs')} +${begins}`} w={140} min={0} max={1000} decimalScale={2} fixedDecimalScale value={cents / 100} disabled={off} onChange={(next) => set({ ...tariffs, [begins]: Math.round(Number(next) * 100) })} />
            {!off && <ActionIcon variant="subtle" color="gray" aria-label={t('dialling.tariffRemove', { begins })} onClick={() => { const { [begins]: _gone, ...rest } = tariffs; set(rest); }}><IconX size={16} /></ActionIcon>}
          </Group>
        ))}
        {!off && all.length < TARIFFS_MAX && (
          <TextInput w={240} aria-label={t('dialling.tariffAdd')} placeholder={t('dialling.tariffAdd')} value={adding} maxLength={15} error={adding !== '' && !CLASS.test(adding) && t('dialling.digitsBad')} onChange={(e) => setAdding(e.currentTarget.value.trim())} onKeyDown={(e) => e.key === 'Enter' && add()} onBlur={add} />
        )}
      </Stack>
    </Box>
  );
}
