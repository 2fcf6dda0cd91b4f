// What a queue asks of whoever writes a contact up: which of the site's codes fit, and whether one must be named.
import { Box, MultiSelect, Stack, Switch, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Dispositions } from '../model';

export function DispositionFields({ dispositions, known, wrapUp, set, disabled, notes }: {
  dispositions: Dispositions;
  /** The site's codes, as people read them. */
  known: Record<string, string>;
  /** Seconds to write up. */
  wrapUp: number;
  set: (dispositions: Dispositions) => void;
  disabled: boolean;
  notes: ReactNode;
}) {
  const { t } = useTranslation();
  const none = Object.keys(known).length === 0;
  return (
    <Stack gap="md">
      <Text fw={600} size="sm">{t('disposition.title')}</Text>
      {none ? (
        <Text size="sm" c="dimmed">{t('disposition.noneHere')}</Text>
      ) : (
        <MultiSelect
          label={t('disposition.only')}
          description={t('disposition.onlyHint')}
          value={dispositions.only}
          data={Object.entries(known).map(([value, label]) => ({ value, label }))}
          onChange={(only) => set({ ...dispositions, only: [...only].sort() })}
          disabled={disabled}
          searchable
          clearable
        />
      )}
      <Box>
        <Switch
          label={t('disposition.required')}
          description={t(wrapUp === 0 && dispositions.required ? 'disposition.requiredInVain' : 'disposition.requiredHint')}
          checked={dispositions.required}
          disabled={disabled || (none && !dispositions.required)}
          onChange={(e) => set({ ...dispositions, required: e.currentTarget.checked })}
        />
        {notes}
      </Box>
    </Stack>
  );
}
