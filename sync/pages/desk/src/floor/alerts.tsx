// What a supervisor must look up for, over every place of the desk while it lasts; what is new is told once more aside.
import { Group, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconBellRinging } from '@tabler/icons-react';
import { clock } from '@shared/format';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { AgentLine, AlertLine } from '../api';
import { useAge } from '../clock';
import { alertKey, alertText, useAlertWords } from './alert-words';
import { Old } from './old';

export default function Alerts({ lines, agents, at }: { lines: AlertLine[]; agents: readonly AgentLine[]; at: number }) {
  const { t } = useTranslation();
  const w = useAlertWords();
  const { grown, old } = useAge(at);
  const told = useRef(new Set<string>());
  const badge = (line: AlertLine) => agents.find((each) => each.agent === line.agent)?.badge ?? line.agent;
  const text = (line: AlertLine) => [line.label ?? line.queue ?? w.ofCall, badge(line), alertText(w, line)].filter(Boolean).join(' · ');
  useEffect(() => {
    const now = new Set(lines.map(alertKey));
    const fresh = lines.filter((line) => !told.current.has(alertKey(line)));
    if (fresh.length > 0) notifications.show({ color: 'orange', title: w.raised, message: fresh.map(text).join('; '), closeButtonProps: { 'aria-label': t('close') } });
    told.current = now;
  });
  return (
    <Group gap="md" mb="md" px="md" py={12} wrap="nowrap" role="status" className="notice" align="flex-start" aria-label={w.title}>
      <IconBellRinging size={24} aria-hidden style={{ flex: 'none' }} />
      <Stack gap={2} style={{ flex: 1 }}>
        <Text fw={700}>{w.title} <Old ms={old} /></Text>
        {lines.map((line) => <Text size="sm" key={alertKey(line)}>{text(line)} · {w.since} {clock(line.since_ms + grown)}</Text>)}
      </Stack>
    </Group>
  );
}
