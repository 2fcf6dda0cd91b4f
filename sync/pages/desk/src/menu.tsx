// What the person's own menu holds. Where the window is narrow, places that do not fit in the header are here.
import { Menu } from '@mantine/core';
import { IconAdjustments, IconChartBar, IconDeviceLandlinePhone, IconDeviceTv, IconEyeCheck, IconKeyboard, IconLogout, IconPhoneOutgoing } from '@tabler/icons-react';
import { PreferenceItems } from '@shared/ui/bits';
import { useTranslation } from 'react-i18next';
import type { AgentLine } from './api';
import { openLinksHere } from './dial-link';

interface Props {
  supervisor: boolean;
  own: AgentLine | null;
  place: (place: string) => void;
  wall: () => void;
  forward: () => void;
  help: () => void;
  out: () => void;
}

export default function DeskMenu({ supervisor, own, place, wall, forward, help, out }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <PreferenceItems />
      <Menu.Divider />
      {supervisor && <Menu.Item hiddenFrom="sm" leftSection={<IconDeviceLandlinePhone size={16} />} onClick={() => place('phones')}>{t('tabs.phones')}</Menu.Item>}
      {supervisor && <Menu.Item hiddenFrom="sm" leftSection={<IconAdjustments size={16} />} onClick={() => place('settings')}>{t('tabs.settings')}</Menu.Item>}
      {supervisor && <Menu.Item hiddenFrom="sm" leftSection={<IconEyeCheck size={16} />} onClick={() => place('egress')}>{t('tabs.egress')}</Menu.Item>}
      <Menu.Item hiddenFrom="sm" leftSection={<IconChartBar size={16} />} onClick={() => place('reports')}>{t('tabs.reports')}</Menu.Item>
      <Menu.Item leftSection={<IconDeviceTv size={16} />} onClick={wall}>{t('wall.title')}</Menu.Item>
      {own !== null && own.phone !== null && <Menu.Item leftSection={<IconPhoneOutgoing size={16} />} onClick={forward}>{t('forward.name')}…</Menu.Item>}
      {own !== null && <Menu.Item leftSection={<IconPhoneOutgoing size={16} />} onClick={openLinksHere}>{t('menu.links')}</Menu.Item>}
      <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={help}>{t('menu.shortcuts')}</Menu.Item>
      <Menu.Item leftSection={<IconLogout size={16} />} onClick={out}>{t('signIn.out')}</Menu.Item>
    </>
  );
}
