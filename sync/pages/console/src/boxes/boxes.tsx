// The boxes of all branches, and the updates they are offered.
import { Alert, Anchor, Badge, Button, Card, Code, Group, Skeleton, Stack, Table, Text, Title, Tooltip } from '@mantine/core';
import { IconAlertCircle, IconBan, IconPackage, IconPlugConnected, IconPlugConnectedX, IconServerOff } from '@tabler/icons-react';
import { count, date, dayAndTime, size } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { boxes as askBoxes, bundles as askBundles, type BoxLine, type Bundle, type Me } from '../api';
import { BoxHealth } from '../sites/parts';
import { useSites } from '../sites/sites';
import { OfferDialog } from './offer';
import { RevokeDialog } from './revoke';

/** Within so long of its end a certificate should have been renewed. */
const RENEWED_BEFORE_MS = 7 * 86_400_000;
/** A clock further off than this makes the times of figures doubtful. */
const SKEW_MS_MAX = 2_000;

export default function BoxesPage({ me }: { me: Me }) {
  const { t } = useTranslation();
  const boxes = useQuery({ queryKey: ['boxes'], queryFn: askBoxes, refetchInterval: 10_000 });
  const bundles = useQuery({ queryKey: ['bundles'], queryFn: askBundles, refetchInterval: 30_000 });
  const sites = useSites();
  const [revoking, setRevoking] = useState<BoxLine | null>(null);
  const [offering, setOffering] = useState<Bundle | null>(null);
  const labels = new Map((sites.data ?? []).map((site) => [site.site, site.label]));
  const lines = [...(boxes.data ?? [])].sort((a, b) => Number(a.revoked !== null) - Number(b.revoked !== null));
  return (
    <>
      <Heading title={t('boxes.title')} note={t('boxes.note')} />
      {[boxes, bundles].filter((found) => found.isError).map((found, index) => (
        <Alert key={index} color="red" variant="light" mb="lg" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      ))}
      <Stack gap="xl">
        <Card padding={0}>
          {boxes.isPending ? (
            <Stack p="lg" role="status" aria-label={t('loading')}>{Array.from({ length: 5 }, (_, n) => <Skeleton key={n} height={24} />)}</Stack>
          ) : lines.length === 0 ? (
            <Empty icon={<IconServerOff size={24} />} title={t('boxes.none')} action={<Button component={Link} to="/sites" variant="light">{t('boxes.toSites')}</Button>}>{t('boxes.noneText')}</Empty>
          ) : (
            <Boxes lines={lines} labels={labels} bundles={bundles.data ?? []} revoke={me.may.includes('revoke_box') ? setRevoking : undefined} />
          )}
        </Card>
        <section aria-labelledby="updates">
          <Title order={2} size="h4" id="updates">{t('bundles.title')}</Title>
          <Text size="sm" c="dimmed" mb="md">{t('bundles.note')}</Text>
          <Card padding={0}>
            {bundles.isPending ? (
              <Stack p="lg" role="status" aria-label={t('loading')}>{Array.from({ length: 2 }, (_, n) => <Skeleton key={n} height={24} />)}</Stack>
            ) : (bundles.data ?? []).length === 0 ? (
              <Empty icon={<IconPackage size={24} />} title={t('bundles.none')}>{t('bundles.noneText')}</Empty>
            ) : (
              <Bundles bundles={bundles.data ?? []} labels={labels} offer={me.may.includes('offer_bundle') ? setOffering : undefined} />
            )}
          </Card>
        </section>
      </Stack>
      {revoking && <RevokeDialog box={revoking} label={labels.get(revoking.site) ?? revoking.site} close={() => setRevoking(null)} />}
      {offering && <OfferDialog bundle={offering} sites={sites.data ?? []} close={() => setOffering(null)} />}
    </>
  );
}

function Boxes({ lines, labels, bundles, revoke }: { lines: readonly BoxLine[]; labels: ReadonlyMap<string, string>; bundles: readonly Bundle[]; revoke?: (box: BoxLine) => void }) {
  const { t, i18n } = useTranslation();
  return (
    <Table className="stack-table">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('boxes.box')}</Table.Th>
          <Table.Th>{t('boxes.state')}</Table.Th>
          <Table.Th>{t('site.health')}</Table.Th>
          <Table.Th>{t('sites.software')}</Table.Th>
          <Table.Th>{t('boxes.behind')}</Table.Th>
          <Table.Th>{t('boxes.certificate')}</Table.Th>
          <Table.Th>{t('boxes.egress')}</Table.Th>
          <Table.Th><span className="visually-hidden">{t('boxes.actions')}</span></Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {lines.map((line) => {
          const gone = line.revoked !== null;
          return (
            <Table.Tr key={line.box}>
              <Table.Td>
                <Anchor component={Link} to={`/sites/${line.site}`} fw={600} size="sm" c="inherit">{labels.get(line.site) ?? line.site}</Anchor>
                <Text size="xs" c="dimmed"><Tooltip label={line.box}><span tabIndex={0}>{line.box.slice(0, 8)}<span className="visually-hidden">{line.box.slice(8)}</span></span></Tooltip></Text>
              </Table.Td>
              <Table.Td><State line={line} /></Table.Td>
              <Table.Td data-label={t('site.health')}>{gone ? <Dash /> : <BoxHealth health={line.health} />}</Table.Td>
              <Table.Td data-label={t('sites.software')}>{gone ? <Dash /> : <Software line={line} offered={bundles.find((bundle) => bundle.offered_to.includes(line.site))} />}</Table.Td>
              <Table.Td data-label={t('boxes.behind')}>{gone || line.behind === null ? <Dash /> : line.behind === 0 ? t('boxes.upToDate') : t('boxes.rows', { count: line.behind, n: count(line.behind, i18n.language) })}</Table.Td>
              <Table.Td data-label={t('boxes.certificate')}>{gone ? <Dash /> : <Certificate until={line.certificate_until} />}</Table.Td>
              <Table.Td data-label={t('boxes.egress')}><Egress seen={line.egress} /></Table.Td>
              <Table.Td ta="right">{revoke && !gone && <Button size="compact-sm" variant="subtle" color="red" onClick={() => revoke(line)} aria-label={`${t('boxes.revoke')}: ${labels.get(line.site) ?? line.site} ${line.box.slice(0, 8)}`}>{t('boxes.revoke')}</Button>}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}

const Dash = () => <Text size="sm" c="dimmed">–</Text>;

function State({ line }: { line: BoxLine }) {
  const { t, i18n } = useTranslation();
  const [color, Icon, word, at] =
    line.revoked !== null ? (['gray', IconBan, t('boxes.revoked'), line.revoked] as const)
    : line.linked ? (['green', IconPlugConnected, t('sites.linked'), line.linked_since] as const)
    : (['red', IconPlugConnectedX, t('sites.cut'), null] as const);
  const askew = line.skew_ms !== null && Math.abs(line.skew_ms) > SKEW_MS_MAX ? Math.round(line.skew_ms / 1000) : null;
  return (
    <>
      <Badge variant="light" color={color} tt="none" leftSection={<Icon size={13} aria-hidden />}>{word}</Badge>
      {at !== null && <Text size="xs" c="dimmed" mt={2}>{t('boxes.since', { time: dayAndTime(at, i18n.language) })}</Text>}
      {askew !== null && <Text size="xs" c="var(--mantine-color-yellow-text)" mt={2}>{t('boxes.skew', { seconds: askew > 0 ? `+${askew}` : askew })}</Text>}
    </>
  );
}

function Software({ line, offered }: { line: BoxLine; offered: Bundle | undefined }) {
  const { t } = useTranslation();
  const runs = line.software ?? t('sites.unknown');
  const waits = offered !== undefined && (offered.version === '' || offered.version !== line.software);
  return (
    <div>
      <Text size="sm">{runs}{line.health && <Text span inherit c="dimmed"> · {t('boxes.slot', { slot: line.health.slot === 0 ? 'A' : 'B' })}</Text>}</Text>
      {waits && <Text size="xs" c="var(--mantine-color-blue-text)">{t('boxes.offered', { version: offered.version || offered.name })}</Text>}
    </div>
  );
}

function Certificate({ until }: { until: number | null }) {
  const { t, i18n } = useTranslation();
  if (until === null) return <Dash />;
  const soon = until - Date.now() < RENEWED_BEFORE_MS;
  return <Text size="sm" c={soon ? 'var(--mantine-color-red-text)' : undefined}>{t('boxes.until', { time: date(until, i18n.language) })}</Text>;
}

/** How far what left was witnessed; a box that has told two stories about it is not to be believed. */
function Egress({ seen }: { seen: BoxLine['egress'] }) {
  const { t, i18n } = useTranslation();
  if (seen === null) return <Dash />;
  return (
    <div>
      <Text size="sm">{t('boxes.witnessed', { line: count(seen.line + 1, i18n.language) })}</Text>
      <Text size="xs" c="dimmed">{dayAndTime(seen.at, i18n.language)}</Text>
      {seen.disputed > 0 && <Badge variant="light" color="red" tt="none" leftSection={<IconAlertCircle size={13} aria-hidden />}>{t('boxes.disputed')}</Badge>}
    </div>
  );
}

function Bundles({ bundles, labels, offer }: { bundles: readonly Bundle[]; labels: ReadonlyMap<string, string>; offer?: (bundle: Bundle) => void }) {
  const { t, i18n } = useTranslation();
  return (
    <Table className="stack-table">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('bundles.bundle')}</Table.Th>
          <Table.Th>{t('bundles.size')}</Table.Th>
          <Table.Th>{t('bundles.added')}</Table.Th>
          <Table.Th>{t('bundles.offeredTo')}</Table.Th>
          <Table.Th><span className="visually-hidden">{t('boxes.actions')}</span></Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {bundles.map((bundle) => (
          <Table.Tr key={bundle.sha256}>
            <Table.Td>
              <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>{bundle.name}</Text>
              <Tooltip label={`SHA-256 ${bundle.sha256}`}><Code tabIndex={0}>{bundle.sha256.slice(0, 12)}</Code></Tooltip>
            </Table.Td>
            <Table.Td data-label={t('bundles.size')}>{size(bundle.size, i18n.language)}</Table.Td>
            <Table.Td data-label={t('bundles.added')}>{dayAndTime(bundle.added, i18n.language)}</Table.Td>
            <Table.Td data-label={t('bundles.offeredTo')}>{bundle.offered_to.length === 0 ? <Dash /> : <Text size="sm">{bundle.offered_to.map((site) => labels.get(site) ?? site).join(', ')}</Text>}</Table.Td>
            <Table.Td ta="right">{offer && <Button size="compact-sm" variant="light" onClick={() => offer(bundle)} aria-label={`${t('bundles.offer')}: ${bundle.name}`}>{t('bundles.offer')}</Button>}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
