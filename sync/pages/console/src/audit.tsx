// Who did what, newest first, and whether the chain of the record still holds.
import { Alert, Badge, Button, Card, Group, Skeleton, Stack, Table } from '@mantine/core';
import { IconAlertCircle, IconLink, IconLinkOff, IconShieldCheck } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ROLES, audit, type Role } from './api';
import { MACHINE } from '@shared/history/fields';
import { useSites } from './sites/sites';
import { en } from './text/en';

const PAGE = 200;
const HIDDEN = ['heads'];
const TIMES = ['expires', 'not_after'];
type Verb = keyof typeof en.audit.verbs;
const VERBS: readonly string[] = Object.keys(en.audit.verbs);

export default function AuditPage() {
  const { t, i18n } = useTranslation();
  const details = useDetails();
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
            <Table className="stack-table">
              <Table.Thead>
                <Table.Tr><Table.Th w={150}>{t('audit.when')}</Table.Th><Table.Th w={160}>{t('audit.who')}</Table.Th><Table.Th w={220}>{t('audit.what')}</Table.Th><Table.Th>{t('audit.detail')}</Table.Th></Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {entries.map((entry) => (
                  <Table.Tr key={entry.seq}>
                    <Table.Td style={{ whiteSpace: 'nowrap' }}>{dayAndTime(entry.at, i18n.language)}</Table.Td>
                    <Table.Td>{entry.who === MACHINE ? t('merge.theServer') : entry.who}</Table.Td>
                    <Table.Td>{verb(entry.what)}</Table.Td>
                    <Table.Td style={{ overflowWrap: 'anywhere', color: 'var(--mantine-color-dimmed)' }}>{details(entry.detail)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
        )}
      </Card>
      {found.hasNextPage && <Group justify="center" mt="md"><Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{t('audit.older')}</Button></Group>}
    </>
  );
}

/** What a person can use of the stored detail: names for ids, times for numbers, no internal hashes. */
function useDetails() {
  const { t, i18n } = useTranslation();
  const sites = useSites();
  const labels = new Map((sites.data ?? []).map((site) => [site.site, site.label]));
  const keys = t('audit.keys', { returnObjects: true }) as Record<string, string>;
  return (detail: unknown): string => {
    if (detail === null || typeof detail !== 'object') return '';
    const shown = Object.entries(detail).filter(([key]) => !HIDDEN.includes(key));
    return shown.map(([key, value]) => `${keys[key] ?? key}: ${said(key, value)}`).join(' · ');
  };
  function said(key: string, value: unknown): string {
    if (TIMES.includes(key) && typeof value === 'number') return dayAndTime(value, i18n.language);
    if (typeof value !== 'string') return JSON.stringify(value);
    if (key === 'site') return labels.get(value) ?? value;
    if (key === 'doc') return value === 'local' ? t('history.local') : value === 'site' ? t('history.planned') : value;
    if (key === 'role') return (ROLES as readonly string[]).includes(value) ? t(`role.${value as Role}`) : value;
    if (key === 'sites') return value === '*' ? t('people.allSites') : value.split(' ').map((site) => labels.get(site) ?? site).join(', ');
    return key === 'box' || key === 'sha256' || key === 'serial' ? value.slice(0, 12) : value;
  }
}
