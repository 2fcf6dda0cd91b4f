// Going not ready: at once, or for one of the site's reasons.
import { Button, Menu, Text } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import type { Ask, Board, Pause } from '../api';
import { PAUSE_BUTTON } from '../keys';

/** Why somebody is not ready, in words. */
export function pauseText(t: TFunction, board: Board, pause: Pause | null): string | null {
  if (pause === null) return null;
  return typeof pause === 'string' ? t(`rest.${pause}`) : (board.pauses[pause.code] ?? pause.code);
}

export function PauseButton({ board, label, loading, disabled, press }: {
  board: Board;
  label: string;
  loading: boolean;
  disabled: boolean;
  press: (ask: Ask) => void;
}) {
  const { t } = useTranslation();
  const reasons = Object.entries(board.pauses);
  const button = { size: 'md', variant: 'default', loading, disabled } as const;
  if (reasons.length === 0) return <Button {...button} onClick={() => press({ ask: 'not_ready' })}>{label}</Button>;
  return (
    <Menu position="bottom-end" width={230} withinPortal>
      <Menu.Target>
        <Button className={PAUSE_BUTTON} {...button} rightSection={<IconChevronDown size={16} aria-hidden />}>{label}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('rest.why')}</Menu.Label>
        {reasons.map(([pause, name]) => (
          <Menu.Item key={pause} onClick={() => press({ ask: 'not_ready', pause })}><Text size="sm" truncate>{name}</Text></Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
