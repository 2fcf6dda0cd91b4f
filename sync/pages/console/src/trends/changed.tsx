// What came after its time, and how the figures of that time differ from what was shown before.
import { Card, Group, Select, Skeleton, Table, Text, Title } from '@mantine/core';
import { count, dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { corrections } from '../api';

export const SINCE_DAYS = ['1', '3', '7', '30'] as const;
export type SinceDays = (typeof SINCE_DAYS)[number];

export function Changed({ days, setDays, sites, labels }: { days: SinceDays; setDays: (days: SinceDays) => void; sites: readonly string[]; labels: ReadonlyMap<string, string> }) {
  const { t, i18n } = useTranslation();
  const found = useQuery({ queryKey: ['corrections', days], queryFn: () => corrections(Date.now() - Number(days) * 86_400_000), refetchInterval: 30_000 });
  const shown = (found.data?.corrections ?? []).filter((one) => sites.length === 0 || sites.includes(one.site));
  const time = (at: number) => dayAndTime(at, i18n.language);
  return (
    <Card padding={0} component="section" aria-label={t('trends.changed')}>
      <Group justify="space-between" p="md">
        <div>
          <Title order={2} size="h5">{t('trends.changed')}</Title>
          <Text size="sm" c="dimmed">{t('trends.changedNote')}</Text>
        </div>
        <Select aria-label={t('trends.since')} allowDeselect={false} w={170} value={days} onChange={(next) => setDays((next ?? '1') as SinceDays)} data={SINCE_DAYS.map((value) => ({ value, label: t('trends.sinceDays', { count: Number(value) }) }))} />
      </Group>
      {found.isError && <Text role="alert" p="md" pt={0}>{refusalText(t, found.error)}</Text>}
      {found.isPending && <Skeleton height={60} m="md" />}
      {found.isSuccess && shown.length === 0 && <Text p="md" pt={0} size="sm">{t('trends.nothing')}</Text>}
      {shown.length > 0 && (
        <Table.ScrollContainer minWidth={720} type="native" tabIndex={0} mah={420} style={{ overflowY: 'auto' }}>
          <Table aria-label={t('trends.changed')} stickyHeader>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('trends.arrived')}</Table.Th>
                <Table.Th>{t('figures.branch')}</Table.Th>
                <Table.Th>{t('trends.what')}</Table.Th>
                <Table.Th>{t('trends.about')}</Table.Th>
                <Table.Th ta="right">{t('figures.offered')}</Table.Th>
                <Table.Th ta="right">{t('figures.answered')}</Table.Th>
                <Table.Th ta="right">{t('figures.abandoned')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((one) => (
                <Table.Tr key={`${one.site} ${one.kind} ${one.first_received}`}>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{time(one.last_received)}</Table.Td>
                  <Table.Th scope="row" fw={500}>{labels.get(one.site) ?? one.site}</Table.Th>
                  <Table.Td>{one.kind === 'late' ? t('trends.cameAfter', { count: one.intervals }) : t('trends.revised', { count: one.cells })}</Table.Td>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{time(one.since)} – {time(one.until)}</Table.Td>
                  {(['offered', 'answered', 'abandoned'] as const).map((key) => <Table.Td key={key} ta="right">{signed(one.difference[key], i18n.language)}</Table.Td>)}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {found.data?.more && <Text size="sm" c="dimmed" p="md">{t('trends.more')}</Text>}
    </Card>
  );
}

/** `+23`, `−4`, `0`. */
export function signed(n: number, language: string): string {
  return n === 0 ? '0' : `${n > 0 ? '+' : '−'}${count(Math.abs(n), language)}`;
}
