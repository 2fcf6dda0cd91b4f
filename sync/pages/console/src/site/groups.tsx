// Groups of lines that carry calls out together. They are part of the branch's dial plan and saved with it.
import { ActionIcon, Box, Button, Card, Group, NumberInput, Select, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { SaveBar, useApply, useDraft, useFindings, type Place } from '@shared/edit/editing';
import type { GroupMember, TrunkGroup } from '@shared/model';
import { useTranslation } from 'react-i18next';

const GROUPS_MAX = 16;
const MEMBERS_MAX = 16;

export function GroupsEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const stands = place.config.site.dialling;
  const { draft, set, reset } = useDraft(stands, 'dialling');
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const off = place.readOnly;
  const trunks = place.config.trunks;
  const ids = Object.keys(draft.groups);
  const dirty = JSON.stringify(draft) !== JSON.stringify(stands);
  const valid = Object.values(draft.groups).every((group) => group.label.trim() !== '');
  const put = (id: string, part: Partial<TrunkGroup>) => {
    const group = draft.groups[id];
    if (group !== undefined) set({ groups: { ...draft.groups, [id]: { ...group, ...part } } });
  };
  const free = () => {
    for (let n = 1; ; n += 1) if (!(`group-${n}` in draft.groups)) return `group-${n}`;
  };
  const hours = Object.entries(place.config.hours).map(([value, { label }]) => ({ value, label }));
  return (
    <Box mt="xl" component="section" aria-labelledby="trunk-groups">
      <Group justify="space-between" mb={4}>
        <Title order={2} size="h4" id="trunk-groups">{t('carrier.groups')}</Title>
        {!off && ids.length < GROUPS_MAX && (
          <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => {
            const id = free();
            set({ groups: { ...draft.groups, [id]: { label: t('carrier.groups'), members: [], hours: null } }, outward: draft.outward ?? id });
          }}>{t('carrier.groupAdd')}</Button>
        )}
      </Group>
      <Text size="sm" c="dimmed" mb="md">{t('carrier.groupsText')}</Text>
      <Stack gap="lg">
        {ids.length > 0 && (
          <Select maw={360} label={t('carrier.groupOutward')} placeholder={t('carrier.groupNone')} clearable clearButtonProps={{ 'aria-label': t('carrier.groupNone') }} disabled={off} data={ids.map((id) => ({ value: id, label: draft.groups[id]?.label ?? id }))} value={draft.outward} onChange={(outward) => set({ outward })} />
        )}
        {ids.map((id) => {
          const group = draft.groups[id];
          if (group === undefined) return null;
          const member = (at: number, part: Partial<GroupMember>) => put(id, { members: group.members.map((one, n) => (n === at ? { ...one, ...part } : one)) });
          const others = Object.entries(trunks).filter(([trunk]) => !group.members.some((one) => one.trunk === trunk)).map(([value, { label }]) => ({ value, label }));
          return (
            <Card key={id}>
              <Group align="flex-end" mb="md" grow>
                <TextInput label={t('carrier.groupLabel')} value={group.label} maxLength={60} disabled={off} error={group.label.trim() === '' && t('fields.required')} onChange={(e) => put(id, { label: e.currentTarget.value })} />
                <Select label={t('carrier.hours')} placeholder={t('carrier.alwaysHours')} clearable clearButtonProps={{ 'aria-label': t('carrier.alwaysHours') }} disabled={off} data={hours} value={group.hours} onChange={(next) => put(id, { hours: next })} />
              </Group>
              {notes(`site/dialling/groups/${id}`)}
              {group.members.length > 0 && (
                <Table horizontalSpacing="xs">
                  <Table.Thead><Table.Tr><Table.Th>{t('history.trunk')}</Table.Th><Table.Th>{t('carrier.order')}</Table.Th><Table.Th>{t('carrier.weight')}</Table.Th><Table.Th aria-label={t('carrier.groupRemove')} /></Table.Tr></Table.Thead>
                  <Table.Tbody>
                    {group.members.map((one, at) => {
                      const line = trunks[one.trunk]?.label ?? one.trunk;
                      return (
                        <Table.Tr key={one.trunk}>
                          <Table.Th scope="row" fw={400}>{line}</Table.Th>
                          <Table.Td><NumberInput aria-label={`${t('carrier.order')}, ${line}`} w={80} min={0} max={9} clampBehavior="strict" allowDecimal={false} value={one.order} disabled={off} onChange={(next) => member(at, { order: Number(next) })} /></Table.Td>
                          <Table.Td><NumberInput aria-label={`${t('carrier.weight')}, ${line}`} w={80} min={0} max={100} clampBehavior="strict" allowDecimal={false} value={one.weight} disabled={off} onChange={(next) => member(at, { weight: Number(next) })} /></Table.Td>
                          <Table.Td>{!off && <ActionIcon variant="subtle" color="gray" aria-label={t('carrier.memberRemove', { line })} onClick={() => put(id, { members: group.members.filter((_, n) => n !== at) })}><IconX size={16} /></ActionIcon>}</Table.Td>
                        </Table.Tr>
                      );
                    })}
                  </Table.Tbody>
                </Table>
              )}
              {!off && (
                <Group justify="space-between" mt="md">
                  {others.length > 0 && group.members.length < MEMBERS_MAX ? (
                    <Select aria-label={t('carrier.memberAdd')} placeholder={t('carrier.memberAdd')} data={others} value={null} onChange={(trunk) => trunk !== null && put(id, { members: [...group.members, { trunk, order: 0, weight: 10 }] })} />
                  ) : <span />}
                  <Button variant="subtle" color="red" onClick={() => {
                    const { [id]: _gone, ...groups } = draft.groups;
                    set({ groups, outward: draft.outward === id ? null : draft.outward });
                  }}>{t('carrier.groupRemove')}</Button>
                </Group>
              )}
            </Card>
          );
        })}
      </Stack>
      <SaveBar count={dirty ? 1 : 0} busy={busy} error={error} valid={valid} discard={() => { clear(); reset(); }} save={() => void apply([{ set: 'site_dialling', dialling: draft }])} />
    </Box>
  );
}
