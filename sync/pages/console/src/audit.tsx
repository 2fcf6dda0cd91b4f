// Who did what, newest first, and whether the chain of the record still holds.
import { Alert, Badge, Button, Card, Group, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconAlertCircle, IconLink, IconLinkOff, IconShieldCheck } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { audit } from './api';
import { en } from './text/en';

const PAGE = 200;
type Verb = keyof typeof en.audit.verbs;
const VERBS: readonly string[] = Object.keys(en.audit.verbs);

export default function AuditPage() {
  const { t, i18n } = useTranslation();
  const found = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) => audit(pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => (last.entries.length >= PAGE ? (last.entries.at(-1)?.seq ?? null) : null),
  });
  const entries = found.data?.pages.flatMap((page) => page.entries) ?? [];
  const broken = found.data?.pages[0]?.broken_at ?? null;
  // Keys of verbs hold dots, which the words' paths use to go down.
  const verbs = t('audit.verbs', { returnObjects: true }) as Record<Verb, string>;
  const verb = (what: string) => (VERBS.includes(what) ? verbs[what as Verb] : what);
  return (
    <>
      <Heading title={t('audit.title')} note={t('audit.note')}>
        {found.data && broken === null && <Badge size="lg" variant="light" color="green" tt="none" leftSection={<IconLink size={14} aria-hidden />}>{t('audit.whole')}</Badge>}
      </Heading>
      {broken !== null && <Alert color="red" variant="light" mb="lg" icon={<IconLinkOff size={18} />} role="alert">{t('audit.broken', { seq: broken })}</Alert>}
      {found.isError && (
        <Alert color="red" variant="light" mb="lg" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      <Card padding={0}>
        {found.isPending ? (
          <Stack p="lg" role="status" aria-label={t('loading')}>{Array.from({ length: 8 }, (_, n) => <Skeleton key={n} height={20} />)}</Stack>
        ) : entries.length === 0 ? (
          <Empty icon={<IconShieldCheck size={24} />} title={t('audit.none')} />
        ) : (
          <Table.ScrollContainer minWidth={640} type="native" tabIndex={0}>
            <Table>
              <Table.Thead>
                <Table.Tr><Table.Th w={150}>{t('audit.when')}</Table.Th><Table.Th w={160}>{t('audit.who')}</Table.Th><Table.Th w={220}>{t('audit.what')}</Table.Th><Table.Th>{t('audit.detail')}</Table.Th></Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {entries.map((entry) => (
                  <Table.Tr key={entry.seq}>
                    <Table.Td style={{ whiteSpace: 'nowrap' }}>{dayAndTime(entry.at, i18n.language)}</Table.Td>
                    <Table.Td>{entry.who}</Table.Td>
                    <Table.Td>{verb(entry.what)}</Table.Td>
                    <Table.Td><Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>{details(entry.detail)}</Text></Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {found.hasNextPage && <Group justify="center" mt="md"><Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t('audit.older')}</Button></Group>}
    </>
  );
}

function details(detail: unknown): string {
  if (detail === null || typeof detail !== 'object') return '';
  return Object.entries(detail).map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' · ');
}
