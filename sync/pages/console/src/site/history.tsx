// Who changed what of a branch's configuration, newest first.
import { Alert, Button, Card, Group, SegmentedControl, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconAlertCircle, IconHistory } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import type { Change, Doc } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { history } from '../api';

export function HistoryList({ site, zone }: { site: string; zone: string }) {
  const { t, i18n } = useTranslation();
  const [doc, setDoc] = useState<Doc>('site');
  const found = useQuery({ queryKey: ['site', site, 'history', doc], queryFn: () => history(site, doc) });
  return (
    <Stack>
      <Group>
        <SegmentedControl
          value={doc}
          onChange={(next) => setDoc(next as Doc)}
          aria-label={t('site.history')}
          data={[{ value: 'site', label: t('history.planned') }, { value: 'local', label: t('history.local') }]}
        />
      </Group>
      {found.isError && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      <Card padding={0}>
        {found.isPending ? (
          <Stack p="lg" role="status" aria-label={t('loading')}>{Array.from({ length: 5 }, (_, n) => <Skeleton key={n} height={22} />)}</Stack>
        ) : (found.data ?? []).length === 0 ? (
          <Empty icon={<IconHistory size={24} />} title={t('history.none')}>{t('history.noneText')}</Empty>
        ) : (
          <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
            <Table>
              <Table.Thead>
                <Table.Tr><Table.Th w={170}>{t('history.when')}</Table.Th><Table.Th w={150}>{t('history.who')}</Table.Th><Table.Th>{t('history.what')}</Table.Th></Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {(found.data ?? []).map((entry) => (
                  <Table.Tr key={entry.seq}>
                    <Table.Td style={{ whiteSpace: 'nowrap' }}>{dayAndTime(entry.at, i18n.language, zone)}</Table.Td>
                    <Table.Td>{entry.author}</Table.Td>
                    <Table.Td>{entry.change === null ? <Text size="sm" c="dimmed">{t('history.branch')}</Text> : <What change={entry.change} />}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
    </Stack>
  );
}

/** The field and its value, as they are stored: exact rather than pretty. */
function What({ change }: { change: Change }) {
  const { set, ...rest } = change as Change & Record<string, unknown>;
  const values = Object.entries(rest).map(([, value]) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)));
  return (
    <Text size="sm" style={{ overflowWrap: 'anywhere' }} lineClamp={3}>
      <Text span inherit fw={500}>{set.replaceAll('_', ' ')}</Text> {values.join(' → ')}
    </Text>
  );
}
