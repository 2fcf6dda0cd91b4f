// The player of one recording: who spoke where, and from where it plays.
import { ActionIcon, Box, Card, Group, Text } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { clock, phone, timeOfDay } from '@shared/format';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { waveformOf, wavOf, type Contact, type Waveform } from '../api';
import { outline, sought } from './waveform';

interface Props {
  contact: Contact;
  zone: string;
  close: () => void;
}

export function Player({ contact, zone, close }: Props) {
  const { t, i18n } = useTranslation();
  const recording = contact.recording ?? '';
  const sound = useRef<HTMLAudioElement>(null);
  const [failed, setFailed] = useState(false);
  const [at, setAt] = useState(0);
  const seen = useQuery({ queryKey: ['waveform', recording], queryFn: () => waveformOf(recording), retry: false, staleTime: Infinity });
  function seek(seconds: number) {
    if (sound.current === null) return;
    sound.current.currentTime = seconds;
    setAt(seconds);
  }
  return (
    <Card shadow="md" padding="sm" mt="lg" style={{ position: 'sticky', bottom: 12, zIndex: 5 }} role="region" aria-label={t('contacts.recording')}>
      <Group gap="md">
        <Box style={{ flex: '0 1 auto' }}>
          <Text size="sm" fw={600}>{contact.caller?.number ? phone(contact.caller.number) : t('contacts.recording')}</Text>
          <Text size="xs" c="dimmed">{timeOfDay(contact.arrived, i18n.language, zone)} · {t('contacts.audit')}</Text>
        </Box>
        {failed ? (
          <Text size="sm" c="var(--mantine-color-error)" style={{ flex: 1 }} role="alert">{t('contacts.failed')}</Text>
        ) : (
          <audio
            ref={sound} controls autoPlay src={wavOf(recording)} style={{ flex: '1 1 240px', minWidth: 0, height: 40 }} aria-label={t('contacts.recording')}
            onError={() => setFailed(true)} onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
          />
        )}
        <ActionIcon variant="subtle" color="gray" aria-label={t('contacts.closePlayer')} onClick={close}><IconX size={18} /></ActionIcon>
      </Group>
      {!failed && seen.data && seen.data.caller.length > 0 && <Sides waveform={seen.data} at={at} seek={seek} />}
    </Card>
  );
}

/** Both sides, the caller above and the agent below; what was played is in colour. A click or the arrow keys seek. */
function Sides({ waveform, at, seek }: { waveform: Waveform; at: number; seek: (seconds: number) => void }) {
  const { t } = useTranslation();
  const length = (waveform.caller.length * waveform.ms) / 1000;
  const played = Math.min(1, at / length);
  const count = waveform.caller.length;
  function point(event: PointerEvent<HTMLDivElement>) {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    seek(Math.max(0, Math.min(length, ((event.clientX - left) / width) * length)));
  }
  function key(event: KeyboardEvent) {
    const to = sought(event.key, at, length);
    if (to === null) return;
    event.preventDefault();
    seek(to);
  }
  const drawn = outline(waveform);
  return (
    <Box
      role="slider" tabIndex={0} mt={6} style={{ cursor: 'pointer', touchAction: 'none' }} title={t('contacts.sides')} onPointerDown={point} onKeyDown={key}
      aria-label={t('contacts.position')} aria-valuemin={0} aria-valuemax={Math.round(length)} aria-valuenow={Math.round(Math.min(at, length))}
      aria-valuetext={t('contacts.positionAt', { at: clock(at * 1000), of: clock(length * 1000) })}
    >
      <svg viewBox={`0 0 ${count} 64`} preserveAspectRatio="none" width="100%" height={56} aria-hidden="true" style={{ display: 'block' }}>
        <path d={drawn} fill="var(--mantine-color-gray-5)" />
        <clipPath id="played"><rect x={0} y={0} width={played * count} height={64} /></clipPath>
        <path d={drawn} fill="var(--mantine-primary-color-filled)" clipPath="url(#played)" />
      </svg>
    </Box>
  );
}
