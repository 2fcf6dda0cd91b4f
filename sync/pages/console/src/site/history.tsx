// Who changed what of a branch's configuration, newest first.
import { Alert, Button, Card, Group, SegmentedControl, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconAlertCircle, IconHistory } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import type { Change, Config, Doc } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { history } from '../api';
import { described } from './described';

/** Who cloudd writes for what a branch's people or box did, and for itself. */
export const BRANCH = 'branch';
export const MACHINE = 'cloudd';

export function HistoryList({ site, config }: { site: string; config: Config }) {
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
            <Table className="stack-table">
              <Table.Thead>
                <Table.Tr><Table.Th w={170}>{t('history.when')}</Table.Th><Table.Th w={150}>{t('history.who')}</Table.Th><Table.Th>{t('history.what')}</Table.Th></Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {(found.data ?? []).map((entry) => (
                  <Table.Tr key={entry.seq}>
                    <Table.Td style={{ whiteSpace: 'nowrap' }}>{dayAndTime(entry.at, i18n.language, config.site.time_zone)}</Table.Td>
                    <Table.Td>{entry.author === BRANCH ? t('history.theBranch') : entry.author === MACHINE ? t('history.theServer') : entry.author}</Table.Td>
                    <Table.Td>{entry.change === null ? <Text size="sm" c="dimmed">{t('history.branch')}</Text> : <What change={entry.change} config={config} />}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
        )}
      </Card>
    </Stack>
  );
}

function What({ change, config }: { change: Change; config: Config }) {
  const { t } = useTranslation();
  const { of, field, value } = described(t, config, change);
  return (
    <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
      <Text span inherit fw={600}>{of}</Text> · {field}{value !== null && <>: {value}</>}
    </Text>
  );
}
