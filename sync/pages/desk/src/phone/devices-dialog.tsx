// Microphone and loudspeaker, with a level and a test by one's own ear.
import { Box, Button, Group, Modal, NativeSelect, Stack, Text } from '@mantine/core';
import { IconEar } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Kind, choose, chosen, devices, echo, maySpeakElsewhere, meter, microphone, release } from './devices';
import type { Phone } from './phone';

export default function DevicesDialog({ phone, close }: { phone: Phone; close: () => void }) {
  const { t } = useTranslation();
  const [round, setRound] = useState(0);
  const [known, setKnown] = useState<Record<Kind, { id: string; name: string }[]>>({ audioinput: [], audiooutput: [] });
  const [level, setLevel] = useState(0);
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [testing, setTesting] = useState(false);
  const [deaf, setDeaf] = useState(false);

  useEffect(() => {
    let open: MediaStream | null = null;
    let stop = () => {};
    let gone = false;
    const look = async () => {
      const [audioinput, audiooutput] = await Promise.all([devices('audioinput'), devices('audiooutput')]);
      if (!gone) setKnown({ audioinput, audiooutput });
    };
    microphone().then(
      (fresh) => {
        if (gone) return release(fresh);
        open = fresh;
        setStream(fresh);
        setDeaf(false);
        stop = meter(fresh, setLevel);
        void look();
      },
      () => setDeaf(true),
    );
    const changed = () => void look();
    navigator.mediaDevices.addEventListener('devicechange', changed);
    return () => {
      gone = true;
      navigator.mediaDevices.removeEventListener('devicechange', changed);
      stop();
      release(open);
      setStream(null);
    };
  }, [round]);

  const pick = (kind: Kind) => (id: string) => {
    choose(kind, id);
    void phone.devicesChanged();
    setRound((n) => n + 1);
  };
  const options = (kind: Kind) => [{ value: '', label: t('phone.usual') }, ...known[kind].map(({ id, name }, n) => ({ value: id, label: name || t('phone.nameless', { n: n + 1 }) }))];
  return (
    <Modal opened onClose={close} title={t('phone.devices')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <NativeSelect label={t('phone.microphone')} data={options('audioinput')} value={chosen('audioinput')} onChange={(e) => pick('audioinput')(e.currentTarget.value)} />
        {deaf ? <Text size="sm" role="alert">{t('phone.trouble.microphone')}</Text> : (
          <Box>
            <Text size="xs" c="dimmed" mb={4}>{t('phone.level')}</Text>
            <div className="level" role="meter" aria-label={t('phone.level')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(level * 100)}>
              <div style={{ transform: `scaleX(${level})` }} />
            </div>
          </Box>
        )}
        {maySpeakElsewhere() && <NativeSelect label={t('phone.loudspeaker')} data={options('audiooutput')} value={chosen('audiooutput')} onChange={(e) => pick('audiooutput')(e.currentTarget.value)} />}
        <Group justify="space-between">
          <Button variant="default" leftSection={<IconEar size={18} />} loading={testing} disabled={stream === null} onClick={() => {
            if (stream === null) return;
            setTesting(true);
            void echo(stream).finally(() => setTesting(false));
          }}>{t('phone.echo')}</Button>
          <Button onClick={close}>{t('close')}</Button>
        </Group>
        <Text size="xs" c="dimmed">{t('phone.echoHint')}</Text>
      </Stack>
    </Modal>
  );
}
