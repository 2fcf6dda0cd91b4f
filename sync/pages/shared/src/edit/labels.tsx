// The editors of a site's lists of words: its reasons for being not ready, and what may come of a contact.
import { ActionIcon, Box, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { IconCoffee, IconPlus, IconTags, IconX } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Change } from '../model';
import { Empty } from '../ui/bits';
import { NewDialog, useApply, type Place } from './editing';

export function PausesEditor({ place }: { place: Place }) {
  return (
    <LabelsEditor
      place={place} words="pause" icon={<IconCoffee size={24} />} labels={place.config.site.pauses}
      put={(pause, label) => ({ set: 'pause_put', pause, label })} remove={(pause) => ({ set: 'pause_remove', pause })}
    />
  );
}

export function DispositionsEditor({ place }: { place: Place }) {
  return (
    <LabelsEditor
      place={place} words="disposition" icon={<IconTags size={24} />} labels={place.config.site.dispositions}
      put={(disposition, label) => ({ set: 'disposition_put', disposition, label })} remove={(disposition) => ({ set: 'disposition_remove', disposition })}
    />
  );
}

function LabelsEditor({ place, words, icon, labels, put, remove }: {
  place: Place;
  words: 'pause' | 'disposition';
  icon: ReactNode;
  labels: Record<string, string>;
  put: (id: string, label: string) => Change;
  remove: (id: string) => Change;
}) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const { apply, busy, error, clear } = useApply(place);
  const all = Object.entries(labels);
  const add = !place.readOnly && (
    <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setAdding(true); }}>{t(`${words}.add`)}</Button>
  );
  return (
    <Card maw={620}>
      <Title order={2} size="h4">{t(`${words}.title`)}</Title>
      <Text size="sm" c="dimmed" mb="md">{t(`${words}.note`)}</Text>
      {all.length === 0 ? (
        <Empty icon={icon} title={t(`${words}.none`)} action={add}>{t(`${words}.noneText`)}</Empty>
      ) : (
        <Stack gap="xs">
          <Box component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
            {all.map(([id, label]) => (
              <Group component="li" key={id} justify="space-between" wrap="nowrap" py={6}>
                <Box miw={0}>
                  <Text fw={500} truncate>{label}</Text>
                  <Text size="xs" c="dimmed">{id}</Text>
                </Box>
                {!place.readOnly && (
                  <ActionIcon variant="subtle" color="gray" size="lg" disabled={busy} aria-label={t(`${words}.remove`, { label })} onClick={() => void apply([remove(id)])}>
                    <IconX size={16} />
                  </ActionIcon>
                )}
              </Group>
            ))}
          </Box>
          <Group>{add}</Group>
        </Stack>
      )}
      <NewDialog
        title={t(`${words}.add`)}
        labelText={t('fields.label')}
        taken={all.map(([id]) => id)}
        open={adding}
        close={() => setAdding(false)}
        error={error}
        create={(id, label) => apply([put(id, label)])}
      />
    </Card>
  );
}
