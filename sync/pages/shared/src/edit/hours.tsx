// The editor of opening hours: a week of spans, and the days that are closed whatever the week says.
import { ActionIcon, Badge, Box, Button, Card, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconCalendarClock, IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { dateOf, minutes, ofMinutes } from '../format';
import type { Hours, Span } from '../model';
import { Empty, FindingNotes } from '../ui/bits';
import { NEW_HOURS, hoursChanges } from './changes';
import { NewDialog, RemoveButton, SaveBar, useApply, useDraft, useFindings, type Place } from './editing';
import { TwoPanes } from './two-panes';

const DAYS = [0, 1, 2, 3, 4, 5, 6] as const;

/** A span as it is being typed. */
interface Row {
  day: number;
  from: string;
  to: string;
}

interface Draft {
  rows: Row[];
  closed: string[];
}

function typed(hours: Hours): Draft {
  const rows = hours.week.map((span) => ({ day: span.day, from: minutes(span.from_min), to: minutes(span.to_min) }));
  return { rows, closed: hours.closed };
}

/** The spans; null where a row cannot be read. */
function spans(rows: readonly Row[]): (Span | null)[] {
  return rows.map((row) => {
    const [from_min, to_min] = [ofMinutes(row.from), ofMinutes(row.to)];
    return from_min !== null && to_min !== null && from_min < to_min ? { day: row.day, from_min, to_min } : null;
  });
}

export function HoursEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const { config } = place;
  const ids = Object.keys(config.hours);
  const [wanted, choose] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const { apply, error, clear } = useApply(place);
  const chosen = wanted !== null && wanted in config.hours ? wanted : (ids[0] ?? null);
  const add = !place.readOnly && (
    <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setAdding(true); }}>{t('hours.add')}</Button>
  );
  const open = (hours?: Hours) => Math.round((hours?.week ?? []).reduce((sum, s) => sum + s.to_min - s.from_min, 0) / 6) / 10;
  return (
    <>
      <TwoPanes
        label={t('hours.title')}
        entries={ids.map((id) => ({
          id,
          label: config.hours[id]?.label ?? id,
          note: t('hours.open', { hours: open(config.hours[id]) }),
          path: `hours/${id}`,
        }))}
        chosen={chosen}
        choose={choose}
        findings={place.findings}
        action={add}
        empty={<Empty icon={<IconCalendarClock size={24} />} title={t('hours.none')} action={add}>{t(place.readOnly ? 'hours.noneTextHere' : 'hours.noneText')}</Empty>}
      >
        {chosen !== null && <HoursForm key={chosen} place={place} id={chosen} />}
      </TwoPanes>
      <NewDialog
        title={t('hours.add')}
        labelText={t('fields.label')}
        taken={ids}
        open={adding}
        close={() => setAdding(false)}
        error={error}
        create={async (hours, label) => {
          const done = await apply([{ set: 'hours_add', hours, value: { ...NEW_HOURS, label } }]);
          if (done) choose(hours);
          return done;
        }}
      />
    </>
  );
}

function HoursForm({ place, id }: { place: Place; id: string }) {
  const { t, i18n } = useTranslation();
  const stands = place.config.hours[id] ?? NEW_HOURS;
  const { draft, set, reset } = useDraft(typed(stands), id);
  const { apply, busy, error, clear } = useApply(place);
  const notes = useFindings(place);
  const [newDay, setNewDay] = useState('');
  const read = spans(draft.rows);
  const week = read.filter((span) => span !== null);
  const valid = week.length === read.length && !week.some((a) => week.some((b) => a !== b && a.day === b.day && a.from_min < b.to_min && b.from_min < a.to_min));
  const changes = valid ? hoursChanges(id, stands, { ...stands, week, closed: draft.closed }) : [];
  const touched = JSON.stringify(draft) !== JSON.stringify(typed(stands));
  const edit = (index: number, part: Partial<Row>) => set({ rows: draft.rows.map((row, n) => (n === index ? { ...row, ...part } : row)) });
  return (
    <Box>
      <Card>
        <Group justify="space-between" mb="md">
          <Title order={2} size="h4">{stands.label}</Title>
          {!place.readOnly && (
            <RemoveButton label={t('hours.remove')} text={t('hours.removeText')} remove={() => apply([{ set: 'hours_remove', hours: id }])} />
          )}
        </Group>
        <FindingNotes findings={place.findings.filter((finding) => finding.path === `hours/${id}`)} />
        <Stack gap={10}>
          {DAYS.map((day) => {
            const name = t(`hours.days.d${day}`);
            const rows = draft.rows.map((row, index) => ({ row, index })).filter(({ row }) => row.day === day);
            return (
              <div key={day} className="hours-day">
                <Text size="sm" fw={600} pt={7}>{name}</Text>
                <Box style={{ flex: 1 }}>
                  <Group gap="md" mih={36}>
                    {rows.length === 0 && <Text size="sm" c="dimmed">{t('hours.closedDay')}</Text>}
                    {rows.map(({ row, index }) => {
                      const bad = read[index] === null;
                      return (
                        <Group key={index} gap={6} wrap="nowrap">
                          <TextInput aria-label={t('hours.from', { day: name })} value={row.from} w={76} disabled={place.readOnly} error={bad} onChange={(e) => edit(index, { from: e.currentTarget.value })} />
                          <Text size="sm" c="dimmed" aria-hidden>–</Text>
                          <TextInput aria-label={t('hours.to', { day: name })} value={row.to} w={76} disabled={place.readOnly} error={bad} onChange={(e) => edit(index, { to: e.currentTarget.value })} />
                          {!place.readOnly && (
                            <ActionIcon variant="subtle" color="gray" aria-label={t('hours.removeSpan', { day: name })} onClick={() => set({ rows: draft.rows.filter((_, n) => n !== index) })}>
                              <IconX size={16} />
                            </ActionIcon>
                          )}
                        </Group>
                      );
                    })}
                    {!place.readOnly && rows.length < 8 && (
                      <ActionIcon variant="subtle" aria-label={t('hours.addSpan', { day: name })} onClick={() => {
                        const last = rows.at(-1) ? read[rows.at(-1)?.index ?? 0] : null;
                        const next = last ? { from: minutes(Math.min(last.to_min + 60, 1380)), to: minutes(Math.min(last.to_min + 240, 1440)) } : { from: '09:00', to: '18:00' };
                        set({ rows: [...draft.rows, { day, ...next }] });
                      }}>
                        <IconPlus size={16} />
                      </ActionIcon>
                    )}
                  </Group>
                  {notes(`hours/${id}/week/${day}`)}
                </Box>
              </div>
            );
          })}
        </Stack>
        {!valid && <Text size="xs" c="var(--mantine-color-error)" mt="sm" role="alert">{t(read.some((span) => span === null) ? 'hours.timeBad' : 'hours.overlap')}</Text>}
        <Box mt="xl">
          <Text size="sm" fw={600} mb="xs">{t('hours.closed')}</Text>
          <Group gap="xs">
            {draft.closed.length === 0 && <Text size="sm" c="dimmed">{t('hours.noClosed')}</Text>}
            {draft.closed.map((day) => (
              <Badge key={day} variant="light" color="gray" size="lg" tt="none" rightSection={!place.readOnly && (
                <ActionIcon size="xs" variant="transparent" color="gray" aria-label={t('hours.removeDay', { day })} onClick={() => set({ closed: draft.closed.filter((d) => d !== day) })}>
                  <IconX size={12} />
                </ActionIcon>
              )}>{dateOf(day, i18n.language)}</Badge>
            ))}
          </Group>
          {!place.readOnly && (
            <Group gap="xs" mt="sm">
              <TextInput type="date" aria-label={t('hours.day')} value={newDay} onChange={(e) => setNewDay(e.currentTarget.value)} />
              <Button variant="light" disabled={newDay === '' || draft.closed.includes(newDay)} onClick={() => {
                set({ closed: [...draft.closed, newDay].sort() });
                setNewDay('');
              }}>{t('hours.addDay')}</Button>
            </Group>
          )}
          {notes(`hours/${id}/closed`)}
        </Box>
      </Card>
      <SaveBar count={touched ? 1 : 0} busy={busy} error={error} valid={valid && changes.length > 0} discard={() => { clear(); reset(); }} save={() => void apply(changes)} />
    </Box>
  );
}
