// Where phones stand, for those who come to help; and which phone stands where.
import { Box, Button, Card, Group, Select, SimpleGrid, Stack, Switch, Table, Text, TextInput, Title } from '@mantine/core';
import { IconMapPin, IconPlus } from '@tabler/icons-react';
import { NewDialog, RemoveButton, SaveBar, useApply, useDraft, useFindings, type Place as Where } from '@shared/edit/editing';
import { ForwardDialog, NO_FORWARD, forwardText } from '@shared/edit/forward';
import { TwoPanes } from '@shared/edit/two-panes';
import { NUMBER, type Change, type Phone, type Place, type Protection } from '@shared/model';
import { Empty, FindingNotes } from '@shared/ui/bits';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

const NEW: Place = { label: '', country: '', state: '', city: '', street: '', house: '', floor: '', room: '', trunk: null, confirmed: '', send_location: false };
const PARTS = ['country', 'state', 'city', 'street', 'house', 'floor', 'room'] as const;
const PROTECTIONS: Protection[] = ['clear', 'preferred', 'required', 'required_openly'];
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function PlacesEditor({ place: where }: { place: Where }) {
  const { t } = useTranslation();
  const { places } = where.config;
  const ids = Object.keys(places);
  const [wanted, choose] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const { apply, error, clear } = useApply(where);
  const chosen = wanted !== null && wanted in places ? wanted : (ids[0] ?? null);
  const add = !where.readOnly && <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setAdding(true); }}>{t('places.add')}</Button>;
  return (
    <>
      <TwoPanes
        label={t('places.title')}
        entries={ids.map((id) => ({ id, label: places[id]?.label || id, note: [places[id]?.street, places[id]?.house].filter(Boolean).join(' '), path: `places/${id}` }))}
        chosen={chosen}
        choose={choose}
        findings={where.findings}
        action={add}
        empty={<Empty icon={<IconMapPin size={24} />} title={t('places.none')} action={add}>{t('places.noneText')}</Empty>}
      >
        {chosen !== null && <PlaceForm key={chosen} where={where} id={chosen} />}
      </TwoPanes>
      <Phones where={where} />
      <NewDialog
        title={t('places.add')}
        labelText={t('places.label')}
        taken={ids}
        open={adding}
        close={() => setAdding(false)}
        error={error}
        create={async (id, label) => {
          const done = await apply([{ set: 'place_put', place: id, value: { ...NEW, label } }]);
          if (done) choose(id);
          return done;
        }}
      />
    </>
  );
}

function PlaceForm({ where, id }: { where: Where; id: string }) {
  const { t } = useTranslation();
  const stands = where.config.places[id] ?? NEW;
  const { draft, set, reset } = useDraft(stands, id);
  const { apply, busy, error, clear } = useApply(where);
  const off = where.readOnly;
  const dirty = JSON.stringify(draft) !== JSON.stringify(stands);
  const badDay = draft.confirmed !== '' && !DAY.test(draft.confirmed);
  const valid = draft.label.trim() !== '' && !badDay;
  const today = () => new Intl.DateTimeFormat('sv-SE', { timeZone: where.config.site.time_zone }).format(Date.now());
  return (
    <Box>
      <Card>
        <Group justify="space-between" mb="md">
          <Title order={2} size="h4">{stands.label || id}</Title>
          {!off && <RemoveButton label={t('places.remove')} text={t('places.removeText')} remove={() => apply([{ set: 'place_remove', place: id }])} />}
        </Group>
        <FindingNotes findings={where.findings.filter((finding) => finding.path === `places/${id}`)} />
        <Stack gap="lg">
          <TextInput label={t('places.label')} value={draft.label} maxLength={60} disabled={off} onChange={(e) => set({ label: e.currentTarget.value })} error={draft.label.trim() === '' && t('fields.required')} />
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
            {PARTS.map((part) => (
              <TextInput key={part} label={t(`places.${part}`)} value={draft[part]} maxLength={part === 'country' ? 2 : 100} disabled={off} onChange={(e) => set({ [part]: e.currentTarget.value })} />
            ))}
            <Select label={t('places.trunk')} description={t('places.trunkHint')} placeholder={t('places.trunkNone')} clearable clearButtonProps={{ 'aria-label': t('places.trunkNone') }} disabled={off} data={Object.entries(where.config.trunks).map(([value, { label }]) => ({ value, label }))} value={draft.trunk} onChange={(trunk) => set({ trunk })} />
          </SimpleGrid>
          <Switch label={t('places.send')} description={t('places.sendHint')} checked={draft.send_location} disabled={off} onChange={(e) => set({ send_location: e.currentTarget.checked })} />
          <Group align="flex-end">
            <TextInput label={t('places.confirmed')} description={t('places.confirmedHint')} placeholder="2026-11-28" value={draft.confirmed} maxLength={10} disabled={off} error={badDay && t('places.confirmedBad')} onChange={(e) => set({ confirmed: e.currentTarget.value.trim() })} />
            {!off && <Button variant="light" onClick={() => set({ confirmed: today() })}>{t('places.confirmToday')}</Button>}
          </Group>
        </Stack>
      </Card>
      <SaveBar count={dirty ? 1 : 0} busy={busy} error={error} valid={valid} discard={() => { clear(); reset(); }} save={() => void apply([{ set: 'place_put', place: id, value: draft }])} />
    </Box>
  );
}

function Phones({ where }: { where: Where }) {
  const { t } = useTranslation();
  const stands = where.config.phones;
  const { draft, set, reset } = useDraft(stands, 'phones');
  const { apply, busy, error, clear } = useApply(where);
  const notes = useFindings(where);
  const [forwarding, setForwarding] = useState<string | null>(null);
  const off = where.readOnly;
  const ids = Object.keys(draft);
  const put = (id: string, part: Partial<Phone>) => {
    const phone = draft[id];
    if (phone !== undefined) set({ [id]: { ...phone, ...part } });
  };
  const changes: Change[] = ids.flatMap((phone) => {
    const [was, is] = [stands[phone], draft[phone]];
    if (was === undefined || is === undefined) return [];
    const out: Change[] = [];
    if (is.number !== was.number) out.push({ set: 'phone_number', phone, number: is.number });
    if (is.place !== was.place) out.push({ set: 'phone_place', phone, place: is.place });
    if (JSON.stringify(is.forward) !== JSON.stringify(was.forward)) out.push({ set: 'phone_forward', phone, forward: is.forward });
    if (is.protection !== was.protection) out.push({ set: 'phone_protection', phone, protection: is.protection });
    return out;
  });
  const valid = ids.every((id) => draft[id]?.number == null || NUMBER.test(draft[id]?.number ?? ''));
  const places = Object.entries(where.config.places).map(([value, { label }]) => ({ value, label: label || value }));
  return (
    <Box mt="xl" component="section" aria-labelledby="phones-of-places">
      <Title order={2} size="h4" id="phones-of-places" mb={4}>{t('places.phones')}</Title>
      <Text size="sm" c="dimmed" mb="md">{t('places.phonesText')}</Text>
      <Card padding={0}>
        <Table.ScrollContainer minWidth={720} type="native" tabIndex={0}>
          <Table>
            <Table.Thead><Table.Tr><Table.Th>{t('agent.phone')}</Table.Th><Table.Th>{t('site.place')}</Table.Th><Table.Th>{t('places.number')}</Table.Th><Table.Th>{t('protection.name')}</Table.Th><Table.Th>{t('forward.name')}</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {ids.map((id) => {
                const phone = draft[id];
                if (phone === undefined) return null;
                const name = `${id} ${phone.label}`;
                return (
                  <Table.Tr key={id}>
                    <Table.Th scope="row" fw={400}>{name}{notes(`phones/${id}/place`)}</Table.Th>
                    <Table.Td><Select aria-label={`${t('site.place')}, ${name}`} placeholder={t('places.house')} clearable clearButtonProps={{ 'aria-label': t('places.house') }} disabled={off} data={places} value={phone.place} onChange={(place) => put(id, { place })} /></Table.Td>
                    <Table.Td><TextInput aria-label={`${t('places.number')}, ${name}`} value={phone.number ?? ''} disabled={off} error={phone.number !== null && phone.number !== undefined && !NUMBER.test(phone.number) && t('numbers.numberBad')} onChange={(e) => put(id, { number: e.currentTarget.value.trim() || null })} /></Table.Td>
                    <Table.Td><Select aria-label={`${t('protection.name')}, ${name}`} allowDeselect={false} disabled={off} data={PROTECTIONS.map((value) => ({ value, label: t(`protection.${value}`) }))} value={phone.protection} onChange={(next) => put(id, { protection: PROTECTIONS.find((one) => one === next) ?? 'preferred' })} /></Table.Td>
                    <Table.Td><Button size="compact-sm" variant="subtle" disabled={off} aria-label={`${forwardText(t, phone.forward) ?? t('none')}: ${t('forward.name')}, ${name}`} onClick={() => setForwarding(id)}>{forwardText(t, phone.forward) ?? t('none')}</Button></Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Card>
      {forwarding !== null && (
        <ForwardDialog phone={forwarding} forward={draft[forwarding]?.forward ?? NO_FORWARD} close={() => setForwarding(null)} save={(forward) => { put(forwarding, { forward }); return Promise.resolve(); }} />
      )}
      <SaveBar count={changes.length} busy={busy} error={error} valid={valid} discard={() => { clear(); reset(); }} save={() => void apply(changes)} />
    </Box>
  );
}
