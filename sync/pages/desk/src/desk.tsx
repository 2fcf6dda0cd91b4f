// The signed-in desk: header, live connection, and the three places.
import { Box, Group, Menu, Tabs, Text, Tooltip, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAdjustments, IconChartBar, IconChevronDown, IconHeadset, IconHistory, IconDeviceLandlinePhone, IconEyeCheck, IconPlugConnectedX, IconTicket } from '@tabler/icons-react';
import { Brand, Wait } from '@shared/ui/bits';
import { Suspense, lazy, useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { signOut, type Ask, type Me } from './api';
import { Floor } from './floor/floor';
import { Helpless } from './helpless';
import { useShortcuts } from './keys';
import { Live, useLive, type Answer } from './live';
import { Phone, usePhone } from './phone/phone';

const Contacts = lazy(() => import('./contacts/contacts'));
const BranchSettings = lazy(() => import('./settings/settings'));
// Supervisors have it from their sign-in on: it is there when it is needed.
const Emergencies = lazy(() => import('./floor/emergencies').then((m) => ({ default: m.Emergencies })));
const DeskMenu = lazy(() => import('./menu'));
const Alerts = lazy(() => import('./floor/alerts'));
const Reports = lazy(() => import('./reports/reports'));
const Egress = lazy(() => import('./egress/egress'));
const Phones = lazy(() => import('./phones/phones'));
const OwnForward = lazy(() => import('./phones/own-forward'));
const Tickets = lazy(() => import('./tickets/tickets'));
const TicketAlarm = lazy(() => import('./tickets/alarm'));
const Chat = lazy(() => import('./chat/chat'));
const Wall = lazy(() => import('./wall/wall'));
const ShortcutsDialog = lazy(() => import('./shortcuts'));

/** How long a sign-out waits for the floor. */
const OUT_MS_MAX = 3_000;

export function Desk({ me, leave }: { me: Me; leave: () => void }) {
  const { t } = useTranslation();
  const live = useMemo(() => new Live(leave), [leave]);
  const state = useLive(live);
  const phone = useMemo(() => new Phone(), []);
  const telephone = usePhone(phone);
  const [place, setPlace] = useState(() => (window.location.hash.startsWith('#reports') ? 'reports' : 'floor'));
  const [help, setHelp] = useState(false);
  const [wall, setWall] = useState(false);
  const [forwarding, setForwarding] = useState(false);
  const closeForward = useCallback(() => setForwarding(false), []);
  useEffect(() => live.start(), [live]);
  // There when it is opened: its first entry takes the focus.
  useEffect(() => void import('./menu'), []);
  useEffect(() => phone.live(), [phone]);

  const refused = (answer: Exclude<Answer, 'done'>) =>
    notifications.show({ color: 'red', title: t('refused.title'), message: t(`refused.${answer}`), role: 'alert', closeButtonProps: { 'aria-label': t('close') } });
  const ask = async (wanted: Ask) => {
    if (wanted.ask === 'dial') phone.expect();
    const answer = await live.ask(wanted);
    if (answer !== 'done') refused(answer);
    return answer === 'done';
  };
  const self = state.me ?? me;
  const own = state.board?.agents.find((line) => line.agent === self.agent) ?? null;
  useEffect(() => phone.saw(own), [phone, own]);
  useShortcuts({ phone, call: telephone.call, own, ask: (wanted) => void ask(wanted), help: () => setHelp(true), toFloor: () => setPlace('floor') });

  async function out() {
    // A floor that does not answer keeps nobody inside.
    const late = new Promise<Answer>((passed) => window.setTimeout(() => passed('lost'), OUT_MS_MAX));
    if (own !== null && own.state !== 'signed_out') {
      const answer = await Promise.race([live.ask({ ask: 'sign_out' }), late]);
      // Who goes now would be ready, away from the desk, when the wrap-up ends.
      if (answer === 'disposition_needed') return refused(answer);
    }
    await signOut().catch(() => {});
    leave();
  }

  const supervisor = self.role === 'supervisor';
  return (
    <Tabs value={place} onChange={(next) => setPlace(next ?? 'floor')} keepMounted={false} variant="pills" radius="md">
      <Box className="page">
        <header className="page-header">
          <a className="skip-link" href="#content">{t('skip')}</a>
          <Group h="100%" px="lg" justify="space-between" wrap="nowrap" gap="sm">
            <Brand place={self.site.label} />
            <Tabs.List aria-label={t('signInTitle')} style={{ flexWrap: 'nowrap' }}>
              <Place value="floor" icon={<IconHeadset size={18} />} label={t('tabs.floor')} />
              <Place value="contacts" icon={<IconHistory size={18} />} label={t('tabs.contacts')} />
              <Place value="tickets" icon={<IconTicket size={18} />} label={t('tabs.tickets')} />
              <Place value="reports" icon={<IconChartBar size={18} />} label={t('tabs.reports')} visibleFrom="sm" />
              {supervisor && <Place value="phones" icon={<IconDeviceLandlinePhone size={18} />} label={t('tabs.phones')} visibleFrom="sm" />}
              {supervisor && <Place value="egress" icon={<IconEyeCheck size={18} />} label={t('tabs.egress')} visibleFrom="sm" />}
              {supervisor && <Place value="settings" icon={<IconAdjustments size={18} />} label={t('tabs.settings')} visibleFrom="sm" />}
            </Tabs.List>
            <Group gap="xs" wrap="nowrap">
              <LinkDot link={state.link} />
              <Suspense fallback={null}><Chat me={self} agents={state.board?.agents ?? []} queues={state.board?.queues ?? []} said={state.chat} /></Suspense>
              <Menu position="bottom-end" width={230}>
                <Menu.Target>
                  <UnstyledButton style={{ borderRadius: 8, padding: 4 }}>
                    <Group gap={8} wrap="nowrap">
                      <span className="avatar" aria-hidden>{initials(self.badge ?? self.agent)}</span>
                      <Box visibleFrom="md">
                        <Text size="sm" fw={600} lh={1.2}>{self.badge ?? self.agent}</Text>
                        <Text size="xs" c="dimmed" lh={1.2}>{t(`role.${self.role}`)}</Text>
                      </Box>
                      <VisuallyHidden>{t('menu.title')}</VisuallyHidden>
                      <IconChevronDown size={14} aria-hidden />
                    </Group>
                  </UnstyledButton>
                </Menu.Target>
                <Menu.Dropdown>
                  <Suspense fallback={null}><DeskMenu supervisor={supervisor} own={own} place={setPlace} wall={() => setWall(true)} forward={() => setForwarding(true)} help={() => setHelp(true)} out={() => void out()} /></Suspense>
                </Menu.Dropdown>
              </Menu>
            </Group>
          </Group>
        </header>
        <main className="page-main" id="content" tabIndex={-1}>
          {state.link === 'lost' && (
            <Group gap="sm" mb="md" px="md" py={10} wrap="nowrap" role="status" className="link-lost">
              <IconPlugConnectedX size={18} aria-hidden />
              <Text size="sm">{t('link.lost')}</Text>
            </Group>
          )}
          <Helpless help={state.board?.help ?? null} />
          {supervisor && <Suspense fallback={null}><Emergencies lines={state.board?.emergencies ?? []} notices={state.board?.notices ?? []} ask={ask} /></Suspense>}
          {supervisor && state.board !== null && state.board.alerts.length > 0 && <Suspense fallback={null}><Alerts lines={state.board.alerts} agents={state.board.agents} at={state.at} /></Suspense>}
          <Box maw={1320} mx="auto">
            <Tabs.Panel value="floor">
              {state.board === null ? <Wait /> : <Floor me={self} own={own} board={state.board} at={state.at} live={state.link === 'live'} ask={ask} phone={phone} telephone={telephone} />}
            </Tabs.Panel>
            <Tabs.Panel value="contacts"><Suspense fallback={<Wait />}><Contacts me={self} queues={state.board?.queues ?? []} agents={state.board?.agents ?? []} /></Suspense></Tabs.Panel>
            <Tabs.Panel value="tickets"><Suspense fallback={<Wait />}><Tickets me={self} queues={state.board?.queues ?? []} agents={state.board?.agents ?? []} news={state.tickets} /></Suspense></Tabs.Panel>
            <Tabs.Panel value="reports"><Suspense fallback={<Wait />}><Reports me={self} queues={state.board?.queues ?? []} agents={state.board?.agents ?? []} /></Suspense></Tabs.Panel>
            {supervisor && <Tabs.Panel value="phones"><Suspense fallback={<Wait />}><Phones me={self} /></Suspense></Tabs.Panel>}
            {supervisor && <Tabs.Panel value="egress"><Suspense fallback={<Wait />}><Egress me={self} /></Suspense></Tabs.Panel>}
            {supervisor && <Tabs.Panel value="settings"><Suspense fallback={<Wait />}><BranchSettings config={state.config} /></Suspense></Tabs.Panel>}
          </Box>
        </main>
      </Box>
      {state.ticket?.alarm && <Suspense fallback={null}><TicketAlarm news={state.ticket} /></Suspense>}
      {wall && state.board !== null && <Suspense fallback={null}><Wall me={self} board={state.board} at={state.at} close={() => setWall(false)} /></Suspense>}
      {forwarding && <Suspense fallback={null}><OwnForward close={closeForward} /></Suspense>}
      {help && <Suspense fallback={null}><ShortcutsDialog close={() => setHelp(false)} /></Suspense>}
    </Tabs>
  );
}

function initials(name: string): string {
  const parts = name.trim().split(/[\s-]+/);
  const first = parts[0] ?? '';
  return (parts.length > 1 ? `${first[0] ?? ''}${parts[1]?.[0] ?? ''}` : first.slice(0, 2)).toUpperCase();
}

function Place({ value, icon, label, visibleFrom }: { value: string; icon: React.ReactNode; label: string; visibleFrom?: 'sm' }) {
  return (
    <Tabs.Tab value={value} leftSection={icon} visibleFrom={visibleFrom}>
      <Box component="span" visibleFrom="sm">{label}</Box>
      <VisuallyHidden hiddenFrom="sm">{label}</VisuallyHidden>
    </Tabs.Tab>
  );
}

function LinkDot({ link }: { link: 'connecting' | 'live' | 'lost' }) {
  const { t } = useTranslation();
  const text = t(link === 'live' ? 'link.live' : 'link.connecting');
  const color = link === 'live' ? 'var(--mantine-color-green-6)' : 'var(--mantine-color-yellow-6)';
  return (
    <Tooltip label={text}>
      <Box role="img" aria-label={text} w={10} h={10} style={{ borderRadius: 5, background: color, flex: 'none' }} />
    </Tooltip>
  );
}
