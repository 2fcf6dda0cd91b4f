// Who called for help: over every place of the desk until somebody has seen it.
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconUrgent } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EmergencyLine } from '../api';

/** An older call was seen, or is no longer news: a desk that opens later does not ring for it. */
const NEWS_MS = 15 * 60_000;
const SEEN = 'desk.emergencies.seen';

export const idOf = (line: EmergencyLine) => `${line.phone}@${line.at}`;

/** Those that this browser has not been told to put away. */
export function unseen(lines: EmergencyLine[], seen: readonly string[]): EmergencyLine[] {
  return lines.filter((line) => line.ago_ms < NEWS_MS && !seen.includes(idOf(line)));
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

function seenBefore(): string[] {
  try {
    const kept: unknown = JSON.parse(window.sessionStorage.getItem(SEEN) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one): one is string => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

export function Emergencies({ lines }: { lines: EmergencyLine[] }) {
  const { t, i18n } = useTranslation();
  const [seen, setSeen] = useState(seenBefore);
  const fresh = unseen(lines, seen);
  const youngest = fresh[0] === undefined ? null : idOf(fresh[0]);
  useEffect(() => {
    if (youngest !== null) sound();
  }, [youngest]);
  if (fresh.length === 0) return null;

  function putAway() {
    const all = lines.map(idOf);
    setSeen(all);
    try {
      window.sessionStorage.setItem(SEEN, JSON.stringify(all));
    } catch {
      // It is put away for as long as this page is open.
    }
  }
  const time = (at: number) => new Intl.DateTimeFormat(i18n.language, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(at);
  const place = (line: EmergencyLine) =>
    [line.place ?? t('emergency.noPlace'), line.floor && t('emergency.floor', { floor: line.floor }), line.room && t('emergency.room', { room: line.room })].filter(Boolean).join(' · ');
  return (
    <Group gap="md" mb="md" px="md" py={12} wrap="nowrap" role="alert" className="emergency" align="flex-start">
      <IconUrgent size={26} aria-hidden style={{ flex: 'none' }} />
      <Stack gap={2} style={{ flex: 1 }}>
        <Text fw={700}>{t('emergency.title')}</Text>
        {fresh.map((line) => (
          <Text size="sm" key={idOf(line)}>
            {t('emergency.line', { label: line.label || line.phone, phone: line.phone, time: time(line.at) })} {place(line)}
          </Text>
        ))}
      </Stack>
      <Button color="dark" variant="white" onClick={putAway} style={{ flex: 'none' }}>{t('emergency.seen')}</Button>
    </Group>
  );
}
