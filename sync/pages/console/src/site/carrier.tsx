// How the carrier behind a line is treated: numbers, callers, limits, health, codecs.
import { Box, Card, Grid, NumberInput, Select, SimpleGrid, Stack, Switch, TagsInput, TextInput, Title } from '@mantine/core';
import { useFindings, type Place } from '@shared/edit/editing';
import { NUMBER, type Arrives, type Carrier, type Identity, type Trunk, type Written } from '@shared/model';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

const ARRIVES: Arrives = { written: 'as_is', strip: 0, before: '' };
export const CARRIER: Carrier = {
  name: '',
  numbers: { called: ARRIVES, caller: ARRIVES },
  identity: { trusted: false, show: 'own', main: null, allowed: [], style: 'from', may_withhold: true, forwarded: 'nothing', early: 'always' },
  limits: { in_max: null, out_max: null },
  health: { every_s: null, down_after: 2, up_after: 1 },
  codecs: [],
  hours: null,
};
const WRITTEN = ['as_is', 'country_first', 'as_dialled', 'area_first'] as const;
const SPELLINGS = ['as_dialled', 'plus', 'digits', 'national'] as const;
const STYLES = ['from', 'asserted', 'preferred', 'remote_party'] as const;
const FORWARDED = ['nothing', 'diversion', 'history_info'] as const;
const EARLY = ['always', 'authorised', 'never'] as const;
const CODECS = ['PCMA', 'PCMU', 'G722', 'opus'];
/** Labels with a letter in the last, then perhaps a port. */
export const HOST = /^((?!-)[a-zA-Z0-9-]{1,63}(?<!-)\.)*(?!-)(?=[a-zA-Z0-9-]*[a-zA-Z])[a-zA-Z0-9-]{1,63}(?<!-)(:\d{1,5})?$/;
const BEFORE = /^\+?\d{0,14}$/;

const within = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;

/** As `sync/config` checks it. */
export function carrierFits({ name, numbers, identity, limits, health }: Carrier): boolean {
  const arrives = [numbers.called, numbers.caller].every(({ strip, before }) => within(strip, 0, 10) && BEFORE.test(before));
  const limit = [limits.in_max, limits.out_max].every((max) => max === null || within(max, 0, 1000));
  const every = health.every_s === null || health.every_s === 0 || within(health.every_s, 10, 3600);
  return (name === '' || HOST.test(name)) && arrives && limit && every && within(health.down_after, 1, 10) && within(health.up_after, 1, 10) && identity.allowed.every((number) => NUMBER.test(number));
}

/** A choice among a closed list of words. */
function Choice<V extends string>({ label, values, words, value, disabled, set }: { label: string; values: readonly V[]; words: (value: V) => string; value: V; disabled: boolean; set: (value: V) => void }) {
  return <Select label={label} data={values.map((one) => ({ value: one, label: words(one) }))} value={value} allowDeselect={false} disabled={disabled} onChange={(next) => set(values.find((one) => one === next) ?? value)} />;
}

function Count({ label, hint, none, value, min, max, disabled, set }: { label: string; hint?: string; none?: string; value: number | null; min: number; max: number; disabled: boolean; set: (value: number | null) => void }) {
  return <NumberInput label={label} description={hint} inputWrapperOrder={['label', 'input', 'error', 'description']} placeholder={none} min={min} max={max} clampBehavior="strict" allowDecimal={false} value={value ?? ''} disabled={disabled} onChange={(next) => set(next === '' ? (none === undefined ? min : null) : Number(next))} />;
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card mt="lg">
      <Title order={3} size="h5" mb="md">{title}</Title>
      <Stack gap="lg">{children}</Stack>
    </Card>
  );
}

export function CarrierForm({ place, id, trunk, set }: { place: Place; id: string; trunk: Trunk; set: (part: Partial<Trunk>) => void }) {
  const { t } = useTranslation();
  const notes = useFindings(place);
  const at = (field: string) => notes(`trunks/${id}/carrier/${field}`);
  const { carrier } = trunk;
  const { numbers, identity, limits, health } = carrier;
  const off = place.readOnly;
  const put = (part: Partial<Carrier>) => set({ carrier: { ...carrier, ...part } });
  const identify = (part: Partial<Identity>) => put({ identity: { ...identity, ...part } });
  const ours = [...new Set([...Object.keys(place.config.numbers), ...Object.values(place.config.phones).flatMap(({ number }) => number ?? [])])];
  const written = (value: Written) => t(`carrier.${value}`);
  const bad = identity.allowed.some((number) => !NUMBER.test(number));
  return (
    <>
      <Part title={t('carrier.numbers')}>
        {(['called', 'caller'] as const).map((whose) => {
          const arrives = numbers[whose];
          const change = (part: Partial<Arrives>) => put({ numbers: { ...numbers, [whose]: { ...arrives, ...part } } });
          return (
            <Grid key={whose}>
              <Grid.Col span={{ base: 12, sm: 6 }}><Choice label={t(whose === 'called' ? 'carrier.calledWritten' : 'carrier.callerWritten')} values={WRITTEN} words={written} value={arrives.written} disabled={off} set={(next) => change({ written: next })} /></Grid.Col>
              <Grid.Col span={{ base: 6, sm: 3 }}><Count label={t('carrier.strip')} min={0} max={10} value={arrives.strip} disabled={off} set={(strip) => change({ strip: strip ?? 0 })} /></Grid.Col>
              <Grid.Col span={{ base: 6, sm: 3 }}><TextInput label={t('carrier.before')} value={arrives.before} disabled={off} onChange={(e) => change({ before: e.currentTarget.value.trim() })} error={!BEFORE.test(arrives.before) && t('carrier.beforeBad')} /></Grid.Col>
            </Grid>
          );
        })}
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
          <Choice label={t('carrier.spelling')} values={SPELLINGS} words={(value) => t(`carrier.spelling_${value}`)} value={trunk.spelling} disabled={off} set={(spelling) => set({ spelling })} />
        </SimpleGrid>
      </Part>
      <Part title={t('carrier.identity')}>
        <Switch label={t('carrier.trusted')} description={t('carrier.trustedHint')} checked={identity.trusted} disabled={off} onChange={(e) => identify({ trusted: e.currentTarget.checked })} />
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
          <Choice label={t('carrier.show')} values={['own', 'main'] as const} words={(value) => t(`carrier.show_${value}`)} value={identity.show} disabled={off} set={(show) => identify({ show })} />
          <Select label={t('carrier.main')} placeholder={t('carrier.mainAuto')} data={[...new Set([...ours, ...(identity.main === null ? [] : [identity.main])])]} value={identity.main} clearable clearButtonProps={{ 'aria-label': t('carrier.mainAuto') }} disabled={off} onChange={(main) => identify({ main })} />
        </SimpleGrid>
        <Box>
          <TagsInput label={t('carrier.allowed')} description={t('carrier.allowedHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} data={ours} maxTags={100} value={identity.allowed} disabled={off} onChange={(allowed) => identify({ allowed: [...allowed].sort() })} error={bad && t('carrier.numberBad')} />
          {at('identity')}
        </Box>
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
          <Choice label={t('carrier.style')} values={STYLES} words={(value) => t(`carrier.style_${value}`)} value={identity.style} disabled={off} set={(style) => identify({ style })} />
          <Choice label={t('carrier.forwarded')} values={FORWARDED} words={(value) => t(`carrier.forwarded_${value}`)} value={identity.forwarded} disabled={off} set={(forwarded) => identify({ forwarded })} />
          <Choice label={t('carrier.early')} values={EARLY} words={(value) => t(`carrier.early_${value}`)} value={identity.early} disabled={off} set={(early) => identify({ early })} />
        </SimpleGrid>
        <Switch label={t('carrier.mayWithhold')} checked={identity.may_withhold} disabled={off} onChange={(e) => identify({ may_withhold: e.currentTarget.checked })} />
      </Part>
      <Part title={t('carrier.limits')}>
        <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="lg">
          <Count label={t('carrier.inMax')} none={t('carrier.noLimit')} min={0} max={1000} value={limits.in_max} disabled={off} set={(in_max) => put({ limits: { ...limits, in_max } })} />
          <Count label={t('carrier.outMax')} none={t('carrier.noLimit')} min={0} max={1000} value={limits.out_max} disabled={off} set={(out_max) => put({ limits: { ...limits, out_max } })} />
          <Box>
            <Select label={t('carrier.hours')} placeholder={t('carrier.alwaysHours')} data={Object.entries(place.config.hours).map(([value, { label }]) => ({ value, label }))} value={carrier.hours} clearable clearButtonProps={{ 'aria-label': t('carrier.alwaysHours') }} disabled={off} onChange={(hours) => put({ hours })} />
            {at('hours')}
          </Box>
        </SimpleGrid>
        <Box>
          <TagsInput label={t('carrier.codecs')} description={t('carrier.codecsHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} data={CODECS} maxTags={8} value={carrier.codecs} disabled={off} onChange={(codecs) => put({ codecs })} />
          {at('codecs')}
        </Box>
      </Part>
      <Part title={t('carrier.health')}>
        <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="lg">
          <Count label={t('carrier.every')} hint={t('carrier.everyHint')} none="–" min={0} max={3600} value={health.every_s} disabled={off} set={(every_s) => put({ health: { ...health, every_s } })} />
          <Count label={t('carrier.downAfter')} min={1} max={10} value={health.down_after} disabled={off} set={(next) => put({ health: { ...health, down_after: next ?? 2 } })} />
          <Count label={t('carrier.upAfter')} min={1} max={10} value={health.up_after} disabled={off} set={(next) => put({ health: { ...health, up_after: next ?? 1 } })} />
        </SimpleGrid>
      </Part>
    </>
  );
}
