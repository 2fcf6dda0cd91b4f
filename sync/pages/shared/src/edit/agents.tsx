// The editor of agents.
import { Box, Button, Card, Group, MultiSelect, Select, Stack, TextInput, Title } from '@mantine/core';
import { IconHeadset, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty, FindingNotes } from '../ui/bits';
import { NEW_AGENT, agentChanges } from './changes';
import { NewDialog, RemoveButton, SaveBar, Skills, skillsOf, useApply, useDraft, useFindings, type Place } from './editing';
import { TwoPanes } from './two-panes';

export function AgentsEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const { config } = place;
  const ids = Object.keys(config.agents);
  const [wanted, choose] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const { apply, error, clear } = useApply(place);
  const chosen = wanted !== null && wanted in config.agents ? wanted : (ids[0] ?? null);
  const add = !place.readOnly && (
    <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setAdding(true); }}>{t('agent.add')}</Button>
  );
  return (
    <>
      <TwoPanes
        label={t('agent.title')}
        entries={ids.map((id) => {
          const agent = config.agents[id];
          const queues = agent?.queues.map((queue) => config.queues[queue]?.label ?? queue).join(', ');
          return { id, label: agent?.badge ?? id, note: queues || t('agent.noQueue'), path: `agents/${id}` };
        })}
        chosen={chosen}
        choose={choose}
        findings={place.findings}
        action={add}
        empty={<Empty icon={<IconHeadset size={24} />} title={t('agent.none')} action={add}>{t(place.readOnly ? 'agent.noneTextHere' : 'agent.noneText')}</Empty>}
      >
        {chosen !== null && <AgentForm key={chosen} place={place} id={chosen} />}
      </TwoPanes>
      <NewDialog
        title={t('agent.add')}
        labelText={t('agent.badge')}
        taken={ids}
        open={adding}
        close={() => setAdding(false)}
        error={error}
        create={async (agent, badge) => {
          const done = await apply([{ set: 'agent_add', agent, value: { ...NEW_AGENT, badge } }]);
          if (done) choose(agent);
          return done;
        }}
      />
    </>
  );
}

function AgentForm({ place, id }: { place: Place; id: string }) {
  const { t } = useTranslation();
  const { config } = place;
  const stands = config.agents[id] ?? NEW_AGENT;
  const { draft, set, reset } = useDraft(stands, id);
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const at = (field: string) => notes(`agents/${id}/${field}`);
  const changes = agentChanges(id, stands, draft);
  const phones = [...new Set([...Object.keys(config.phones), ...(draft.phone ? [draft.phone] : [])])];
  const whole = place.findings.filter((finding) => finding.path === `agents/${id}`);
  return (
    <Box>
      <Card>
        <Group justify="space-between" mb="md">
          <Title order={2} size="h4">{stands.badge}</Title>
          {!place.readOnly && (
            <RemoveButton label={t('agent.remove')} text={t('agent.removeText')} remove={() => apply([{ set: 'agent_remove', agent: id }])} />
          )}
        </Group>
        <FindingNotes findings={whole} />
        <Stack gap="lg">
          <Group grow align="flex-start">
            <Box>
              <TextInput label={t('agent.badge')} description={t('agent.badgeHint')} inputWrapperOrder={['label', 'input', 'description', 'error']} value={draft.badge} maxLength={60} disabled={place.readOnly} onChange={(e) => set({ badge: e.currentTarget.value })} error={draft.badge.trim() === '' && t('fields.required')} />
              {at('badge')}
            </Box>
            <Box>
              <Select
                label={t('agent.phone')}
                value={draft.phone ?? ''}
                data={[{ value: '', label: t('agent.phoneNone') }, ...phones.map((value) => {
                  const label = config.phones[value]?.label;
                  return { value, label: label ? `${value} · ${label}` : value };
                })]}
                onChange={(phone) => set({ phone: phone || null })}
                allowDeselect={false}
                searchable
                disabled={place.readOnly}
              />
              {at('phone')}
            </Box>
          </Group>
          <Box>
            <MultiSelect
              label={t('agent.queues')}
              value={draft.queues}
              data={[...new Set([...Object.keys(config.queues), ...draft.queues])].map((value) => ({ value, label: config.queues[value]?.label ?? value }))}
              onChange={(queues) => set({ queues })}
              disabled={place.readOnly}
            />
            {at('queues')}
          </Box>
          <Skills label={t('agent.skills')} skills={draft.skills} known={skillsOf(config)} set={(skills) => set({ skills })} disabled={place.readOnly} notes={at('skills')} />
        </Stack>
      </Card>
      <SaveBar count={changes.length} busy={busy} error={error} valid={draft.badge.trim() !== ''} discard={() => { clear(); reset(); }} save={() => void apply(changes)} />
    </Box>
  );
}
