// Whom I consult while my caller waits, and who then talks to both of us.
import { Alert, Button, Group, Text } from '@mantine/core';
import { IconUserMinus, IconUsers, IconUsersGroup } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Ask, Board, ThirdLine } from '../api';

export function ThirdParty({ third, board, press, busyWith }: {
  third: ThirdLine;
  board: Board;
  press: (ask: Ask) => unknown;
  busyWith: (name: Ask['ask']) => { loading: boolean; disabled: boolean };
}) {
  const { t } = useTranslation();
  const badge = board.agents.find((line) => line.agent === third.agent)?.badge ?? t('call.thirdUnknown');
  const joined = third.stage === 'joined';
  return (
    <Alert color={joined ? 'blue' : 'orange'} variant="light" icon={joined ? <IconUsersGroup size={20} /> : <IconUsers size={20} />}>
      <Group justify="space-between" gap="xs">
        <Text size="sm" role="status">{t(`call.third.${third.stage}`, { badge })}</Text>
        <Group gap="xs">
          {third.stage === 'apart' && <Button size="xs" onClick={() => press({ ask: 'confer' })} {...busyWith('confer')}>{t('call.confer')}</Button>}
          <Button size="xs" variant="default" leftSection={<IconUserMinus size={16} />} onClick={() => press({ ask: 'consult_end' })} {...busyWith('consult_end')}>{t('call.consultEnd')}</Button>
        </Group>
      </Group>
    </Alert>
  );
}
