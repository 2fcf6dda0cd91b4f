// The editor of a site's reasons for being not ready.
import { ActionIcon, Box, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { IconCoffee, IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../ui/bits';
import { NewDialog, useApply, type Place } from './editing';

export function PausesEditor({ place }: { place: Place }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const { apply, busy, error, clear } = useApply(place);
  const pauses = Object.entries(place.config.site.pauses);
  const add = !place.readOnly && (
    <Button variant="light" leftSection={<IconPlus size={16} />} onClick={() => { clear(); setAdding(true); }}>{t('pause.add')}</Button>
  );
  return (
    <Card maw={620}>
      <Title order={2} size="h4">{t('pause.title')}</Title>
      <Text size="sm" c="dimmed" mb="md">{t('pause.note')}</Text>
      {pauses.length === 0 ? (
        <Empty icon={<IconCoffee size={24} />} title={t('pause.none')} action={add}>{t('pause.noneText')}</Empty>
      ) : (
        <Stack gap="xs">
          <Box component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
            {pauses.map(([pause, label]) => (
              <Group component="li" key={pause} justify="space-between" wrap="nowrap" py={6}>
                <Box miw={0}>
                  <Text fw={500} truncate>{label}</Text>
                  <Text size="xs" c="dimmed">{pause}</Text>
                </Box>
                {!place.readOnly && (
                  <ActionIcon variant="subtle" color="gray" size="lg" disabled={busy} aria-label={t('pause.remove', { label })} onClick={() => void apply([{ set: 'pause_remove', pause }])}>
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
        title={t('pause.add')}
        labelText={t('fields.label')}
        taken={pauses.map(([pause]) => pause)}
        open={adding}
        close={() => setAdding(false)}
        error={error}
        create={(pause, label) => apply([{ set: 'pause_put', pause, label }])}
      />
    </Card>
  );
}
