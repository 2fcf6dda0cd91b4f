// What a supervisor must see, over every place of the desk until somebody says so: who called for help, and what else
// needs a look.
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconUrgent } from '@tabler/icons-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Ask, EmergencyLine, NoticeLine } from '../api';

/** An older call is no longer news: a desk that opens later does not ring for it. */
const NEWS_MS = 15 * 60_000;

/** Those that nobody has seen. */
export function unseen(lines: EmergencyLine[]): EmergencyLine[] {
  return lines.filter((line) => line.ago_ms < NEWS_MS && line.seen.length === 0);
}

/** Two short tones; a browser that may not sound yet shows the banner alone. */
function sound() {
  try {
    const audio = new AudioContext();
    for (const [at, pitch] of [[0, 880], [0.25, 660]] as const) {
      const tone = audio.createOscillator();
      const level = audio.createGain();
      level.gain.value = 0.2;
      tone.frequency.value = pitch;
      tone.connect(level).connect(audio.destination);
      tone.start(audio.currentTime + at);
      tone.stop(audio.currentTime + at + 0.2);
    }
    window.setTimeout(() => void audio.close(), 1_000);
  } catch {
    // No sound hardware.
  }
}

interface Props {
  lines: EmergencyLine[];
  notices: NoticeLine[];
  ask: (ask: Ask) => Promise<unknown>;
}

export function Emergencies({ lines, notices, ask }: Props) {
  const { t, i18n } = useTranslation();
  const fresh = unseen(lines);
  const open = notices.filter((line) => line.seen.length === 0);
  const youngest = fresh[0]?.notice ?? null;
  useEffect(() => {
    if (youngest !== null) sound();
  }, [youngest]);
  const see = (all: { notice: string }[]) => void Promise.all(all.map(({ notice }) => ask({ ask: 'seen', notice })));
  const time = (at: number) => new Intl.DateTimeFormat(i18n.language, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at);
  const place = (line: EmergencyLine) =>
    [line.place ?? t('emergency.noPlace'), line.floor && t('emergency.floor', { floor: line.floor }), line.room && t('emergency.room', { room: line.room })].filter(Boolean).join(' · ');
  const who = (line: EmergencyLine) =>
    line.phone === null ? t('emergency.unproved', { time: time(line.at) }) : t('emergency.line', { label: line.label || line.phone, phone: line.phone, time: time(line.at) });
  return (
    <>
      {fresh.length > 0 && (
        <Group gap="md" mb="md" px="md" py={12} wrap="nowrap" role="alert" className="emergency" align="flex-start">
          <IconUrgent size={26} aria-hidden style={{ flex: 'none' }} />
          <Stack gap={2} style={{ flex: 1 }}>
            <Text fw={700}>{t('emergency.title')}</Text>
            {fresh.map((line) => <Text size="sm" key={line.notice}>{who(line)} {place(line)}</Text>)}
          </Stack>
          <Button color="dark" variant="white" onClick={() => see(lines.filter((line) => line.seen.length === 0))} style={{ flex: 'none' }}>{t('emergency.seen')}</Button>
        </Group>
      )}
      {open.length > 0 && (
        <Group gap="md" mb="md" px="md" py={12} wrap="nowrap" role="alert" className="notice" align="flex-start">
          <IconAlertTriangle size={26} aria-hidden style={{ flex: 'none' }} />
          <Stack gap={2} style={{ flex: 1 }}>
            <Text fw={700}>{t('notice.title')}</Text>
            {open.map((line) => (
              <Text size="sm" key={line.notice}>{[t(`notice.${line.what}`), line.place, line.trunk, time(line.at)].filter(Boolean).join(' · ')}</Text>
            ))}
          </Stack>
          <Button color="dark" variant="white" onClick={() => see(open)} style={{ flex: 'none' }}>{t('emergency.seen')}</Button>
        </Group>
      )}
    </>
  );
}
