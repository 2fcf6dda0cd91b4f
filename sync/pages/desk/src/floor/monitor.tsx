// A supervisor on an agent's talk: to listen, to whisper to the agent, or to be heard by everybody.
import { ActionIcon, Group, Tooltip } from '@mantine/core';
import { IconDoorExit, IconEar, IconMessage, IconSpeakerphone } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine, Ask, Monitoring } from '../api';

const WAYS: readonly (readonly [Monitoring, typeof IconEar])[] = [['listen', IconEar], ['whisper', IconMessage], ['barge', IconSpeakerphone]];

export function MonitorButtons({ line, by, live, ask }: {
  line: AgentLine;
  by: string;
  live: boolean;
  ask: (ask: Ask) => Promise<boolean>;
}) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const own = line.monitors.find((monitor) => monitor.by === by);
  const press = (wanted: Ask) => {
    setBusy(true);
    void ask(wanted).finally(() => setBusy(false));
  };
  return (
    <Group gap={4} wrap="nowrap" role="group" aria-label={t('monitor.title', { badge: line.badge })}>
      {WAYS.map(([how, Icon]) => {
        const name = t(`monitor.${how}`, { badge: line.badge });
        return (
          <Tooltip key={how} label={t(`monitor.${how}Hint`)}>
            <ActionIcon variant={own?.how === how ? 'filled' : 'default'} aria-label={name} aria-pressed={own?.how === how} disabled={!live || busy} onClick={() => press({ ask: 'monitor', agent: line.agent, how })}>
              <Icon size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        );
      })}
      {own !== undefined && (
        <Tooltip label={own.there ? t('monitor.leave') : t('monitor.rings')}>
          <ActionIcon variant="light" color="red.8" aria-label={t('monitor.leave')} disabled={!live || busy} onClick={() => press({ ask: 'monitor_end' })}>
            <IconDoorExit size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </Group>
  );
}
