// The telephones of the house: where each is registered, what it fetched, and what a supervisor can do about it.
import '@mantine/core/styles/Table.css';
import '@mantine/core/styles/Skeleton.css';
import { ActionIcon, Alert, Badge, Box, Button, Card, Group, Menu, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconAlertCircle, IconDeviceLandlinePhone, IconDots, IconLock, IconLockOpen } from '@tabler/icons-react';
import { ForwardDialog, forwardText } from '@shared/edit/forward';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { Queries, queries } from '@shared/ui/queries';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { change, type Me } from '../api';
import { phones, type PhoneLine } from './api';
import { DismissDialog, EnrolDialog, RotateDialog } from './dialogs';

type Doing = { what: 'enrol' | 'rotate' | 'dismiss' | 'forward'; line: PhoneLine };

export default function PhonesPlace({ me }: { me: Me }) {
  return <Queries><Phones me={me} /></Queries>;
}

const again = () => queries.invalidateQueries({ queryKey: ['phones'] });

function Phones({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const [doing, setDoing] = useState<Doing | null>(null);
  const found = useQuery({ queryKey: ['phones'], queryFn: phones, refetchInterval: 10_000 });
  const close = () => setDoing(null);
  const time = (at: number) => new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeStyle: 'short', timeZone: me.site.time_zone }).format(at);
  const lines = found.data?.phones ?? [];
  return (
    <Stack gap={0}>
      <Heading title={t('phones.title')} note={t('phones.note')} />
      {found.isError && (
        <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} mb="md">
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      <Card padding={0}>
        {found.isPending ? (
          <Stack p="lg" gap="sm" role="status" aria-label={t('loading')}>{Array.from({ length: 6 }, (_, n) => <Skeleton key={n} height={22} />)}</Stack>
        ) : lines.length === 0 ? (
          <Empty icon={<IconDeviceLandlinePhone size={24} />} title={t('phones.none')}>{t('phones.noneText')}</Empty>
        ) : (
          <Box style={{ overflowX: 'auto' }}>
            <Table highlightOnHover className="stack-table">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t('phones.phone')}</Table.Th>
                  <Table.Th>{t('phones.registered')}</Table.Th>
                  <Table.Th>{t('protection.name')}</Table.Th>
                  <Table.Th>{t('phones.provisioning')}</Table.Th>
                  <Table.Th>{t('forward.name')}</Table.Th>
                  <Table.Th w={60}><span className="visually-hidden">{t('phones.actions')}</span></Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {lines.map((line) => (
                  <Table.Tr key={line.phone}>
                    <Table.Th scope="row" fw={400} data-label={t('phones.phone')}>
                      <Text span fw={600}>{line.phone}</Text> {line.label}
                      {line.badge !== null && <Text size="xs" c="dimmed">{line.badge}</Text>}
                    </Table.Th>
                    <Table.Td data-label={t('phones.registered')}><Registered line={line} /></Table.Td>
                    <Table.Td data-label={t('protection.name')}>{t(`protection.${line.protection}`)}</Table.Td>
                    <Table.Td data-label={t('phones.provisioning')}><Provisioned line={line} time={time} /></Table.Td>
                    <Table.Td data-label={t('forward.name')}>{forwardText(t, line.forward) ?? t('none')}</Table.Td>
                    <Table.Td>
                      <Menu position="bottom-end">
                        <Menu.Target>
                          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('phones.actionsOf', { phone: line.phone })}><IconDots size={18} /></ActionIcon>
                        </Menu.Target>
                        <Menu.Dropdown>
                          <Menu.Item onClick={() => setDoing({ what: 'forward', line })}>{t('phones.forward')}</Menu.Item>
                          <Menu.Item onClick={() => setDoing({ what: 'enrol', line })}>{t(line.enrolled === null ? 'phones.enrol' : 'phones.enrolOther')}</Menu.Item>
                          {line.enrolled !== null && <Menu.Item onClick={() => setDoing({ what: 'rotate', line })}>{t('phones.rotate')}</Menu.Item>}
                          <Menu.Item color="red" onClick={() => setDoing({ what: 'dismiss', line })}>{t('phones.dismiss')}</Menu.Item>
                        </Menu.Dropdown>
                      </Menu>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Box>
        )}
      </Card>
      {doing?.what === 'enrol' && <EnrolDialog line={doing.line} close={close} done={() => void again()} />}
      {doing?.what === 'rotate' && <RotateDialog line={doing.line} close={close} done={() => void again()} />}
      {doing?.what === 'dismiss' && <DismissDialog line={doing.line} close={close} done={() => void again()} />}
      {doing?.what === 'forward' && (
        <ForwardDialog
          phone={doing.line.phone}
          forward={doing.line.forward}
          close={close}
          save={async (forward) => {
            await change([{ set: 'phone_forward', phone: doing.line.phone, forward }]);
            await again();
          }}
        />
      )}
    </Stack>
  );
}

function Registered({ line }: { line: PhoneLine }) {
  const { t } = useTranslation();
  if (line.registered.length === 0) return <Badge variant="light" color="gray" tt="none">{t('phones.notRegistered')}</Badge>;
  return (
    <Stack gap={4}>
      {line.registered.map((one) => (
        <Box key={`${one.transport} ${one.address}`}>
          <Group gap={6} wrap="nowrap">
            {one.private ? <IconLock size={14} role="img" aria-label={t('phones.private')} /> : <IconLockOpen size={14} role="img" aria-label={t('phones.open')} />}
            <Text size="sm">{one.transport.toUpperCase()} {one.address}</Text>
          </Group>
          {one.user_agent !== null && <Text size="xs" c="dimmed">{one.user_agent}</Text>}
        </Box>
      ))}
    </Stack>
  );
}

function Provisioned({ line, time }: { line: PhoneLine; time: (at: number) => string }) {
  const { t } = useTranslation();
  const { enrolled } = line;
  if (enrolled === null) return <Text size="sm" c="dimmed">{t('phones.byHand')}</Text>;
  const device = [enrolled.make, enrolled.mac].join(' ');
  const runs = [enrolled.model, enrolled.firmware].filter(Boolean).join(' ');
  return (
    <Box>
      <Text size="sm">{enrolled.fetched === null ? t('phones.waits') : t('phones.fetched', { time: time(enrolled.fetched) })}</Text>
      <Text size="xs" c="dimmed">{[device, runs].filter(Boolean).join(' · ')}</Text>
      {enrolled.open_until !== null && <Text size="xs" c="dimmed">{t('phones.window', { time: time(enrolled.open_until) })}</Text>}
    </Box>
  );
}
