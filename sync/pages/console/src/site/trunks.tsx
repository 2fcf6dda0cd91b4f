// The lines of a branch: carriers and gateways.
import { Alert, Box, Button, Card, Group, NumberInput, SegmentedControl, Select, SimpleGrid, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { IconInfoCircle, IconPlus, IconRouter } from '@tabler/icons-react';
import { NewDialog, RemoveButton, SaveBar, Seconds, useApply, useDraft, useFindings, type Place } from '@shared/edit/editing';
import { TwoPanes } from '@shared/edit/two-panes';
import type { Protection, Trunk } from '@shared/model';
import { Empty, FindingNotes } from '@shared/ui/bits';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CARRIER, CarrierForm, HOST, carrierFits } from './carrier';
import { GroupsEditor } from './groups';

const NEW: Trunk = { label: '', kind: { by: 'address', peer: '192.0.2.1:5060', transport: 'udp' }, calls_max: 30, behind_nat: false, spelling: 'as_dialled', protection: 'preferred', carrier: CARRIER };
const PEER = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):\d{1,5}$/;

const PROTECTIONS: Protection[] = ['clear', 'preferred', 'required', 'required_openly'];

export function TrunksEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const { config } = place;
  const ids = Object.keys(config.trunks);
  const [wanted, choose] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const { apply, error, clear } = useApply(place);
  const chosen = wanted !== null && wanted in config.trunks ? wanted : (ids[0] ?? null);
  const add = !place.readOnly && <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setAdding(true); }}>{t('trunks.add')}</Button>;
  return (
    <>
      <TwoPanes
        label={t('site.trunks')}
        entries={ids.map((id) => ({ id, label: config.trunks[id]?.label ?? id, note: config.trunks[id]?.kind.peer, path: `trunks/${id}` }))}
        chosen={chosen}
        choose={choose}
        findings={place.findings}
        action={add}
        empty={<Empty icon={<IconRouter size={24} />} title={t('trunks.none')} action={add}>{t('trunks.noneText')}</Empty>}
      >
        {chosen !== null && <TrunkForm key={chosen} place={place} id={chosen} />}
      </TwoPanes>
      {ids.length > 0 && <GroupsEditor place={place} />}
      <NewDialog
        title={t('trunks.add')}
        labelText={t('trunks.label')}
        taken={ids}
        open={adding}
        close={() => setAdding(false)}
        error={error}
        create={async (trunk, label) => {
          const may_withhold = config.site.dialling.country !== '86';
          const carrier = { ...CARRIER, identity: { ...CARRIER.identity, may_withhold } };
          const done = await apply([{ set: 'trunk_put', trunk, value: { ...NEW, label, carrier } }]);
          if (done) choose(trunk);
          return done;
        }}
      />
    </>
  );
}

function TrunkForm({ place, id }: { place: Place; id: string }) {
  const { t } = useTranslation();
  const stands = place.config.trunks[id] ?? NEW;
  const { draft, set, reset } = useDraft(stands, id);
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const at = (field: string) => notes(`trunks/${id}/${field}`);
  const { kind } = draft;
  const off = place.readOnly;
  const dirty = JSON.stringify(draft) !== JSON.stringify(stands);
  const registers = kind.by === 'registration';
  const valid =
    carrierFits(draft.carrier) && draft.label.trim() !== '' && PEER.test(kind.peer) && Number.isInteger(draft.calls_max) && draft.calls_max >= 1 && draft.calls_max <= 1000 &&
    (!registers || (kind.user !== '' && kind.domain !== '' && kind.expires_s >= 60 && kind.expires_s <= 86_400));
  return (
    <Box>
      <Card>
        <Group justify="space-between" mb="md">
          <Title order={2} size="h4">{stands.label}</Title>
          {!off && <RemoveButton label={t('trunks.remove')} text={t('trunks.removeText')} remove={() => apply([{ set: 'trunk_remove', trunk: id }])} />}
        </Group>
        <FindingNotes findings={place.findings.filter((finding) => finding.path === `trunks/${id}`)} />
        <Stack gap="lg">
          <TextInput label={t('trunks.label')} value={draft.label} maxLength={60} disabled={off} onChange={(e) => set({ label: e.currentTarget.value })} error={draft.label.trim() === '' && t('fields.required')} />
          <Box>
            <Text size="sm" fw={600} mb={6} id={`by-${id}`}>{t('trunks.by')}</Text>
            <SegmentedControl
              aria-labelledby={`by-${id}`}
              disabled={off}
              value={kind.by}
              data={[{ value: 'address', label: t('trunks.byAddress') }, { value: 'registration', label: t('trunks.byRegistration') }]}
              onChange={(by) => {
                const { peer, transport } = kind;
                set({ kind: by === 'address' ? { by, peer, transport } : { by: 'registration', peer, transport, user: '', domain: peer.replace(/:\d+$/, ''), expires_s: 300 } });
              }}
            />
          </Box>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
            <Box>
              <TextInput label={t('trunks.name')} description={t('trunks.nameHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} value={draft.carrier.name} maxLength={240} disabled={off} onChange={(e) => set({ carrier: { ...draft.carrier, name: e.currentTarget.value.trim() } })} error={draft.carrier.name !== '' && !HOST.test(draft.carrier.name) && t('trunks.nameBad')} />
            </Box>
            <Box>
              <TextInput label={t('trunks.peer')} description={t('trunks.peerHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} value={kind.peer} disabled={off} onChange={(e) => set({ kind: { ...kind, peer: e.currentTarget.value.trim() } })} error={!PEER.test(kind.peer) && t('trunks.peerBad')} />
              {at('kind')}
            </Box>
            <Select label={t('trunks.transport')} data={[{ value: 'udp', label: 'UDP' }, { value: 'tcp', label: 'TCP' }, { value: 'tls', label: 'TLS' }]} value={kind.transport} allowDeselect={false} disabled={off} onChange={(next) => (next === 'udp' || next === 'tcp' || next === 'tls') && set({ kind: { ...kind, transport: next } })} />
            {registers && (
              <>
                <TextInput label={t('trunks.user')} value={kind.user} disabled={off} onChange={(e) => set({ kind: { ...kind, user: e.currentTarget.value } })} error={kind.user === '' && t('fields.required')} />
                <TextInput label={t('trunks.domain')} value={kind.domain} disabled={off} onChange={(e) => set({ kind: { ...kind, domain: e.currentTarget.value } })} error={kind.domain === '' && t('fields.required')} />
                <Seconds label={t('trunks.expires')} min={60} max={86_400} value={kind.expires_s} disabled={off} set={(expires_s) => set({ kind: { ...kind, expires_s } })} />
              </>
            )}
            <Box>
              <Select label={t('protection.name')} data={PROTECTIONS.map((value) => ({ value, label: t(`protection.${value}`) }))} value={draft.protection} allowDeselect={false} disabled={off} onChange={(next) => set({ protection: PROTECTIONS.find((one) => one === next) ?? 'preferred' })} />
              {at('protection')}
            </Box>
            <Box>
              <NumberInput label={t('trunks.callsMax')} min={1} max={1000} allowDecimal={false} value={draft.calls_max} disabled={off} onChange={(next) => set({ calls_max: Number(next) })} />
              {at('calls_max')}
            </Box>
          </SimpleGrid>
          {registers && <Alert color="gray" variant="light" icon={<IconInfoCircle size={18} />}>{t('trunks.password')}</Alert>}
          <Box>
            <Switch label={t('trunks.nat')} checked={draft.behind_nat} disabled={off} onChange={(e) => set({ behind_nat: e.currentTarget.checked })} />
            {at('behind_nat')}
          </Box>
        </Stack>
      </Card>
      <CarrierForm place={place} id={id} trunk={draft} set={set} />
      <SaveBar count={dirty ? 1 : 0} busy={busy} error={error} valid={valid} discard={() => { clear(); reset(); }} save={() => void apply([{ set: 'trunk_put', trunk: id, value: draft }])} />
    </Box>
  );
}
