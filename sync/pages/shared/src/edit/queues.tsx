// The editor of queues.
import { Box, Button, Card, Divider, Group, MultiSelect, Select, SimpleGrid, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { IconPlus, IconUsersGroup } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SLUG } from '../model';
import { Empty, FindingNotes } from '../ui/bits';
import { AlertFields, alertsValid } from './alerts';
import { CallbackFields, callbackValid } from './callback';
import { NEW_QUEUE, queueChanges } from './changes';
import { DispositionFields } from './dispositions';
import { NewDialog, RemoveButton, SaveBar, Seconds, Skills, skillsOf, useApply, useDraft, useFindings, type Place } from './editing';
import { RecordingFields, recordingValid } from './recording';
import { RoutingFields, routingValid } from './routing';
import { TwoPanes } from './two-panes';

export function QueuesEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const { config } = place;
  const ids = Object.keys(config.queues);
  const [wanted, choose] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const { apply, error, clear } = useApply(place);
  const chosen = wanted !== null && wanted in config.queues ? wanted : (ids[0] ?? null);
  const plans = place.side === 'centre' && !place.readOnly;
  const served = (queue: string) => Object.values(config.agents).filter((agent) => agent.queues.includes(queue)).length;
  const add = <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setAdding(true); }}>{t('queue.add')}</Button>;
  return (
    <>
      <TwoPanes
        label={t('queue.title')}
        entries={ids.map((id) => ({
          id,
          label: config.queues[id]?.label ?? id,
          note: t('queue.agentsCount', { count: served(id) }),
          path: `queues/${id}`,
        }))}
        chosen={chosen}
        choose={choose}
        findings={place.findings}
        action={plans && add}
        empty={<Empty icon={<IconUsersGroup size={24} />} title={t('queue.none')} action={plans && add}>{t(plans ? 'queue.noneText' : 'queue.noneTextHere')}</Empty>}
      >
        {chosen !== null && <QueueForm key={chosen} place={place} id={chosen} />}
      </TwoPanes>
      <NewDialog
        title={t('queue.add')}
        labelText={t('fields.label')}
        taken={ids}
        open={adding}
        close={() => setAdding(false)}
        error={error}
        create={async (queue, label) => {
          const done = await apply([{ set: 'queue_add', queue, value: { ...NEW_QUEUE, label } }]);
          if (done) choose(queue);
          return done;
        }}
      />
    </>
  );
}

function QueueForm({ place, id }: { place: Place; id: string }) {
  const { t } = useTranslation();
  const stands = place.config.queues[id] ?? NEW_QUEUE;
  const { draft, set, reset } = useDraft(stands, id);
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const at = (field: string) => notes(`queues/${id}/${field}`);
  const changes = queueChanges(id, stands, draft);
  const planned = place.readOnly || place.side !== 'centre';
  const within = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;
  const valid =
    draft.label.trim() !== '' && SLUG.test(draft.music) &&
    within(draft.ring_s, 5, 300) && within(draft.wrap_up_s, 0, 3600) && within(draft.service_level_s, 1, 3600) &&
    within(draft.position_every_s, 0, 600) && within(draft.overflow.after_s, 0, 3600) && routingValid(draft.routing) && callbackValid(draft.callback) && alertsValid(draft.alerts) && recordingValid(draft.recording);
  const whole = place.findings.filter((finding) => finding.path === `queues/${id}`);
  const others = (place.sites ?? []).filter((site) => site.site !== place.config.site.id);
  const helpers = [...others, ...draft.overflow.to.filter((to) => others.every((o) => o.site !== to)).map((to) => ({ site: to, label: to }))];
  const overflow = (part: Partial<typeof draft.overflow>) => set({ overflow: { ...draft.overflow, ...part } });
  return (
    <Box>
      <Card>
        <Group justify="space-between" mb="md">
          <Title order={2} size="h4">{stands.label}</Title>
          {!planned && (
            <RemoveButton label={t('queue.remove')} text={t('queue.removeText')} remove={() => apply([{ set: 'queue_remove', queue: id }])} />
          )}
        </Group>
        <FindingNotes findings={whole} />
        <Stack gap="lg" mt={whole.length > 0 ? 'md' : 0}>
          {place.side === 'centre' && (
            <Box>
              <TextInput label={t('fields.label')} value={draft.label} maxLength={60} disabled={planned} onChange={(e) => set({ label: e.currentTarget.value })} error={draft.label.trim() === '' && t('fields.required')} />
              {at('label')}
            </Box>
          )}
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
            <Seconds label={t('queue.ring')} hint={t('queue.ringHint')} min={5} max={300} value={draft.ring_s} set={(ring_s) => set({ ring_s })} disabled={place.readOnly} notes={at('ring_s')} />
            <Seconds label={t('queue.wrapUp')} hint={t('queue.wrapUpHint')} min={0} max={3600} value={draft.wrap_up_s} set={(wrap_up_s) => set({ wrap_up_s })} disabled={place.readOnly} notes={at('wrap_up_s')} />
            <Seconds label={t('queue.serviceLevel')} hint={t('queue.serviceLevelHint')} min={1} max={3600} value={draft.service_level_s} set={(service_level_s) => set({ service_level_s })} disabled={place.readOnly} notes={at('service_level_s')} />
            <Seconds label={t('queue.positionEvery')} hint={t('queue.positionEveryHint')} min={0} max={600} value={draft.position_every_s} set={(position_every_s) => set({ position_every_s })} disabled={place.readOnly} notes={at('position_every_s')} />
            <Box>
              <Select
                label={t('queue.hours')}
                value={draft.hours ?? ''}
                data={[{ value: '', label: t('queue.alwaysOpen') }, ...Object.entries(place.config.hours).map(([value, hours]) => ({ value, label: hours.label }))]}
                onChange={(hours) => set({ hours: hours || null })}
                allowDeselect={false}
                disabled={place.readOnly}
              />
              {at('hours')}
            </Box>
            <Box>
              <TextInput label={t('queue.music')} value={draft.music} disabled={place.readOnly} onChange={(e) => set({ music: e.currentTarget.value })} error={!SLUG.test(draft.music) && t('fields.idBad')} />
              {at('music')}
            </Box>
          </SimpleGrid>
          <Divider />
          <Skills label={t('queue.skills')} skills={draft.skills} known={skillsOf(place.config)} set={(skills) => set({ skills })} disabled={planned} notes={at('skills')} />
          <Box>
            <Switch label={t('queue.recorded')} checked={draft.recorded} disabled={planned} onChange={(e) => set({ recorded: e.currentTarget.checked })} />
            {at('recorded')}
          </Box>
          {draft.recorded && <RecordingFields recording={draft.recording} set={(recording) => set({ recording })} disabled={planned} notes={at('recording')} />}
          <Box>
            <Switch label={t('queue.closed')} description={t('queue.closedHint')} checked={draft.closed} disabled={place.readOnly} onChange={(e) => set({ closed: e.currentTarget.checked })} />
            {at('closed')}
          </Box>
          <Divider />
          <RoutingFields id={id} queues={place.config.queues} routing={draft.routing} set={(routing) => set({ routing })} disabled={place.readOnly} notes={at('routing')} />
          <Divider />
          <CallbackFields callback={draft.callback} hours={place.config.hours} set={(callback) => set({ callback })} disabled={place.readOnly} notes={at('callback')} />
          <Divider />
          <DispositionFields dispositions={draft.dispositions} known={place.config.site.dispositions} wrapUp={draft.wrap_up_s} set={(dispositions) => set({ dispositions })} disabled={place.readOnly} notes={at('dispositions')} />
          <Divider />
          <AlertFields alerts={draft.alerts} set={(alerts) => set({ alerts })} disabled={place.readOnly} notes={at('alerts')} />
          <Divider />
          <Stack gap="md">
            <Text fw={600} size="sm">{t('queue.overflow')}</Text>
            <Box>
              <Switch
                label={t('queue.locality')}
                description={t('queue.localityHint')}
                checked={draft.overflow.locality === 'may_leave'}
                disabled={planned}
                onChange={(e) => overflow({ locality: e.currentTarget.checked ? 'may_leave' : 'local_only' })}
              />
              {at('locality')}
            </Box>
            {draft.overflow.locality === 'may_leave' && (
              <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
                <Seconds label={t('queue.overflowAfter')} hint={t('queue.overflowAfterHint')} min={0} max={3600} value={draft.overflow.after_s} set={(after_s) => overflow({ after_s })} disabled={planned} notes={at('overflow_after_s')} />
                <Box>
                  <MultiSelect
                    label={t('queue.overflowTo')}
                    value={draft.overflow.to}
                    data={helpers.map((site) => ({ value: site.site, label: site.label }))}
                    onChange={(to) => overflow({ to })}
                    disabled={planned}
                  />
                  {at('overflow_to')}
                </Box>
              </SimpleGrid>
            )}
          </Stack>
        </Stack>
      </Card>
      <SaveBar count={changes.length} busy={busy} error={error} valid={valid} discard={() => { clear(); reset(); }} save={() => void apply(changes)} />
    </Box>
  );
}
