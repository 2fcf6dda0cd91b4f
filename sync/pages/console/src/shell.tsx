// Header, navigation and the place itself.
import { AppShell, Box, Burger, Group, Menu, NavLink, Stack, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBuildingStore, IconChartHistogram, IconChartLine, IconChevronDown, IconKey, IconLogout, IconPlugConnectedX, IconServer2, IconShieldCheck, IconStack2, IconUsers, IconWifiOff } from '@tabler/icons-react';
import { Brand, PreferenceItems } from '@shared/ui/bits';
import { forget } from '@shared/ui/queries';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'react-router';
import { signOut, type Me } from './api';
import { useEvents } from './events';
import { Notices } from './notices';
import { PasswordDialog } from './password';

export function Shell({ me, children }: { me: Me; children: ReactNode }) {
  const { t } = useTranslation();
  const [open, { toggle, close }] = useDisclosure(false);
  const [changing, password] = useDisclosure(false);
  const { pathname } = useLocation();
  const live = useEvents();
  useEffect(close, [pathname, close]);
  const places = [
    { to: '/sites', label: t('nav.sites'), icon: <IconBuildingStore size={20} stroke={1.7} /> },
    ...(me.may.includes('see_figures') ? [
      { to: '/figures', label: t('nav.figures'), icon: <IconChartHistogram size={20} stroke={1.7} /> },
      { to: '/trends', label: t('nav.trends'), icon: <IconChartLine size={20} stroke={1.7} /> },
    ] : []),
    { to: '/boxes', label: t('nav.boxes'), icon: <IconServer2 size={20} stroke={1.7} /> },
    ...(me.may.includes('see_configuration') ? [{ to: '/rollouts', label: t('nav.rollouts'), icon: <IconStack2 size={20} stroke={1.7} /> }, { to: '/drills', label: t('nav.drills'), icon: <IconPlugConnectedX size={20} stroke={1.7} /> }] : []),
    ...(me.may.includes('see_people') ? [{ to: '/people', label: t('nav.people'), icon: <IconUsers size={20} stroke={1.7} /> }] : []),
    ...(me.may.includes('see_audit') ? [{ to: '/audit', label: t('nav.audit'), icon: <IconShieldCheck size={20} stroke={1.7} /> }] : []),
  ];
  const leave = async () => {
    await signOut().catch(() => {});
    forget();
  };
  return (
    <AppShell header={{ height: 60 }} navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !open } }} padding={{ base: 'sm', sm: 'xl' }}>
      <AppShell.Header>
        <a className="skip-link" href="#content">{t('skip')}</a>
        <Group h="100%" px="lg" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('nav.open')} />
            <Brand />
          </Group>
          <Menu position="bottom-end" width={220}>
            <Menu.Target>
              <UnstyledButton style={{ borderRadius: 8, padding: 4 }}>
                <Group gap={8} wrap="nowrap">
                  <span className="avatar" aria-hidden>{me.login.slice(0, 2).toUpperCase()}</span>
                  <Box visibleFrom="sm">
                    <Text size="sm" fw={600} lh={1.2}>{me.login}</Text>
                    <Text size="xs" c="dimmed" lh={1.2}>{t(`role.${me.role}`)}</Text>
                  </Box>
                  <VisuallyHidden>{t('nav.menu')}</VisuallyHidden>
                  <IconChevronDown size={14} aria-hidden />
                </Group>
              </UnstyledButton>
            </Menu.Target>
            <Menu.Dropdown>
              <PreferenceItems />
              <Menu.Divider />
              <Menu.Item leftSection={<IconKey size={16} />} onClick={password.open}>{t('password.title')}</Menu.Item>
              <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>{t('signIn.out')}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label={t('nav.open')}>
        <Stack gap={4}>
          {places.map(({ to, label, icon }) => {
            const here = pathname === to || pathname.startsWith(`${to}/`);
            return <NavLink key={to} component={Link} to={to} label={label} leftSection={icon} active={here} aria-current={here ? 'page' : undefined} style={{ borderRadius: 8 }} fw={here ? 600 : 500} />;
          })}
        </Stack>
      </AppShell.Navbar>
      {changing && <PasswordDialog close={password.close} />}
      <AppShell.Main bg="var(--page-ground)" id="content" tabIndex={-1} style={{ outline: 'none' }}>
        <Box maw={1280} mx="auto">
          {!live && (
            <Group gap="sm" mb="md" px="md" py={10} wrap="nowrap" role="status" style={{ borderRadius: 8, background: 'var(--mantine-color-yellow-light)' }}>
              <IconWifiOff size={18} aria-hidden />
              <Text size="sm">{t('live.off')}</Text>
            </Group>
          )}
          <Notices me={me} />
          {children}
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}
