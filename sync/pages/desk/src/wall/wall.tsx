// The floor for a big screen: queues in figures that are read from across the room, and how old they are.
import { ActionIcon, Box, Group, Text } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { clock, permille, timeOfDay } from '@shared/format';
import type { AgentState } from '@shared/model';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { AlertLine, Board, Me, QueueLine } from '../api';
import { useAge } from '../clock';
import { alertKey, alertText, useAlertWords } from '../floor/alert-words';
import { Old } from '../floor/old';
import { STATE_COLOR } from '../floor/state';
import './wall.css';

const STATES: readonly AgentState[] = ['ready', 'offered', 'talking', 'wrap_up', 'not_ready'];

export default function Wall({ me, board, at, close }: { me: Me; board: Board; at: number; close: () => void }) {
  const { t, i18n } = useTranslation();
  const { grown, old } = useAge(at);
  useEffect(() => {
    const leave = (event: KeyboardEvent) => event.key === 'Escape' && close();
    window.addEventListener('keydown', leave);
    return () => window.removeEventListener('keydown', leave);
  }, [close]);
  return (
    <section className="wall" aria-label={t('wall.title')} data-old={old !== null}>
      <header className="wall-head">
        <Text fz="2.4vmin" fw={650}>{me.site.label}</Text>
        <Group gap="lg" wrap="nowrap">
          <Text fz="2vmin" role={old === null ? undefined : 'alert'} className="wall-age">{old === null ? t('wall.fresh') : t('wall.old', { age: clock(old) })}</Text>
          <Text fz="2.4vmin" fw={650}>{timeOfDay(Date.now(), i18n.language, me.site.time_zone)}</Text>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('close')} onClick={close}><IconX size={22} /></ActionIcon>
        </Group>
      </header>
      <div className="wall-queues">
        {board.queues.map((line) => <Tile key={line.queue} line={line} alerts={board.alerts.filter((alert) => alert.queue === line.queue)} age={grown} old={old} />)}
      </div>
      <footer className="wall-agents">
        {STATES.map((state) => (
          <Box key={state}>
            <Text fz="2vmin" c="dimmed">{t(`state.${state}`)}</Text>
            <Text fz="5vmin" fw={700} lh={1.1} c={`var(--mantine-color-${STATE_COLOR[state]}-text)`}>{board.agents.filter((line) => line.state === state).length}</Text>
            <Text fz="1.6vmin" lh={1.2}><Old ms={old} /></Text>
          </Box>
        ))}
      </footer>
    </section>
  );
}

function Tile({ line, alerts, age, old }: { line: QueueLine; alerts: AlertLine[]; age: number; old: number | null }) {
  const { t } = useTranslation();
  const w = useAlertWords();
  const waits = line.waiting > 0;
  const level = line.service_level_permille;
  const mood = level === null ? 'none' : level >= 800 ? 'good' : level >= 600 ? 'fair' : 'bad';
  return (
    <article className="wall-queue" data-mood={mood}>
      <Group justify="space-between" wrap="nowrap" gap="1vmin">
        <Text component="h2" fz="3vmin" fw={650} truncate>{line.label}</Text>
        {line.intake !== 'open' && <Text fz="2.2vmin" fw={650} c={line.intake === 'closed' ? 'var(--mantine-color-red-text)' : 'dimmed'}>{t(`intake.${line.intake}`)}</Text>}
      </Group>
      {alerts.map((alert) => <Text key={alertKey(alert)} fz="2.2vmin" fw={650} c="var(--mantine-color-red-text)" role="status" className="wall-alert">▲ {alertText(w, alert)}</Text>)}
      <div className="wall-main">
        <Number label={t('board.waiting')} value={String(line.waiting)} big hot={waits} old={old} />
        <Number label={t('board.longest')} value={waits ? clock(line.longest_wait_ms + age) : '–'} big hot={waits} old={old} />
      </div>
      <div className="wall-rest">
        <Number label={t('board.ready')} value={String(line.ready)} old={old} />
        <Number label={t('board.talking')} value={String(line.talking)} old={old} />
        <Number label={t('wall.expected')} value={line.expected_wait_ms === null ? '–' : clock(line.expected_wait_ms)} old={old} />
        <Number label={t('board.level')} value={permille(level)} old={old} />
      </div>
    </article>
  );
}

function Number({ label, value, old, big = false, hot = false }: { label: string; value: string; old: number | null; big?: boolean; hot?: boolean }) {
  return (
    <Box>
      <Text fz="1.8vmin" c="dimmed" truncate>{label}</Text>
      <Text fz={big ? '8vmin' : '3.4vmin'} fw={700} lh={1.1} c={hot ? 'var(--mantine-color-orange-text)' : undefined}>{value}</Text>
      <Text fz="1.6vmin" lh={1.2}><Old ms={old} /></Text>
    </Box>
  );
}
