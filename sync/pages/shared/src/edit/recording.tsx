// How calls are recorded: what the customer's word counts for, and how long an agent may pause.
import { Box, Select, SimpleGrid, Stack, Switch, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Consent, Directions, Recording } from '../model';
import { Seconds } from './editing';
import { useWords } from './recording-words';

const CONSENTS: readonly Consent[] = ['not_asked', 'unless_refused', 'when_given'];
const DIRECTIONS = ['inward', 'outward', 'inside'] as const;
export const PAUSE_S_MAX = 600;
export const NEW_RECORDING: Recording = { consent: 'not_asked', pause_s: 0 };

export const recordingValid = ({ pause_s }: Recording) => Number.isInteger(pause_s) && pause_s >= 0 && pause_s <= PAUSE_S_MAX;

export function RecordingFields({ recording, set, disabled, notes }: { recording: Recording; set: (recording: Recording) => void; disabled: boolean; notes: ReactNode }) {
  const w = useWords();
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
      <Box>
        <Select
          label={w.consent}
          description={w.hint[recording.consent]}
          value={recording.consent}
          data={CONSENTS.map((value) => ({ value, label: w.is[value] }))}
          onChange={(consent) => consent !== null && set({ ...recording, consent })}
          allowDeselect={false}
          disabled={disabled}
        />
        {notes}
      </Box>
      <Seconds label={w.pause} hint={w.pauseHint} min={0} max={PAUSE_S_MAX} value={recording.pause_s} set={(pause_s) => set({ ...recording, pause_s })} disabled={disabled} notes={null} />
    </SimpleGrid>
  );
}

/** Of calls that belong to no queue. */
export function DirectionFields({ directions, set, disabled, notes }: { directions: Directions; set: (directions: Directions) => void; disabled: boolean; notes: ReactNode }) {
  const w = useWords();
  return (
    <Stack gap="md">
      <Box>
        <Text fw={600} size="sm">{w.others}</Text>
        <Text size="sm" c="dimmed">{w.othersHint}</Text>
        {notes}
      </Box>
      {DIRECTIONS.map((direction) => {
        const recording = directions[direction];
        return (
          <Stack key={direction} gap="xs">
            <Switch label={w.direction[direction]} checked={recording !== null} disabled={disabled} onChange={(event) => set({ ...directions, [direction]: event.currentTarget.checked ? NEW_RECORDING : null })} />
            {recording !== null && <Box pl="xl"><RecordingFields recording={recording} set={(to) => set({ ...directions, [direction]: to })} disabled={disabled} notes={null} /></Box>}
          </Stack>
        );
      })}
    </Stack>
  );
}
