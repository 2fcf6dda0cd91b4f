// Whether the talk is recorded, what the customer said of it, and a pause.
import { Alert, Button, Group, Text } from '@mantine/core';
import { IconMicrophone, IconMicrophoneOff, IconPlayerPause, IconPlayerRecord } from '@tabler/icons-react';
import { useState } from 'react';
import type { Ask, RecordingLine } from '../api';
import { useWords } from './words';

export function RecordingBar({ line, card, live, ask }: { line: RecordingLine; card: boolean; live: boolean; ask: (ask: Ask) => Promise<boolean> }) {
  const w = useWords().recording;
  const [busy, setBusy] = useState<string | null>(null);
  const asks = line.consent !== 'not_asked';
  if (!asks && !line.may_pause) return null;
  const button = (name: string, wanted: Ask, label: string, icon: React.ReactNode, pressed?: boolean) => (
    <Button
      key={name} size="xs" variant={pressed ? 'filled' : 'default'} aria-pressed={pressed} leftSection={icon} loading={busy === name} disabled={!live || (busy !== null && busy !== name)}
      onClick={() => {
        setBusy(name);
        void ask(wanted).finally(() => setBusy(null));
      }}
    >
      {label}
    </Button>
  );
  const runs = line.missing === null;
  const state = runs ? (line.paused || card ? 'paused' : 'runs') : line.missing === 'refused' ? 'refused' : line.missing === 'no_consent' ? 'waits' : 'failed';
  return (
    <Alert color={state === 'runs' ? 'blue' : 'orange'} variant="light" icon={state === 'runs' ? <IconMicrophone size={20} /> : <IconMicrophoneOff size={20} />}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" role="status">{w.state[state]}</Text>
        <Group gap="xs">
          {asks && button('yes', { ask: 'consent', given: true }, w.agrees, null, line.said === true)}
          {asks && button('no', { ask: 'consent', given: false }, w.refuses, null, line.said === false)}
          {line.may_pause && runs && (line.paused
            ? button('resume', { ask: 'resume_recording' }, w.resume, <IconPlayerRecord size={16} />)
            : button('pause', { ask: 'pause_recording' }, w.pause, <IconPlayerPause size={16} />))}
        </Group>
      </Group>
    </Alert>
  );
}
