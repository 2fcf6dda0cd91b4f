// Programs that use the console's interface: the tokens they have, new ones, and an end to one.
import { Alert, Badge, Button, Card, Code, CopyButton, Group, Modal, MultiSelect, Select, Skeleton, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { IconAlertCircle, IconCheck, IconCopy, IconKey, IconRobot } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ROLES, SCOPED, addToken, revokeToken, tokens as askTokens, type Role, type TokenLine } from './api';
import { useSites } from './sites/sites';

const NAME = /^[a-z0-9-]{1,40}$/;
const DAYS = ['30', '90', '365', ''] as const;

export function Tokens({ changes, labels }: { changes: boolean; labels: ReadonlyMap<string, string> }) {
  const { t, i18n } = useTranslation();
  const found = useQuery({ queryKey: ['tokens'], queryFn: askTokens });
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<TokenLine | null>(null);
  const time = (at: number | null, none: string) => (at === null ? none : dayAndTime(at, i18n.language));
  return (
    <Card padding={0} mt="lg" component="section" aria-label={t('tokens.title')}>
      <Group justify="space-between" p="lg" pb="sm" gap="sm">
        <div>
          <Title order={2} size="h4">{t('tokens.title')}</Title>
          <Text size="sm" c="dimmed">{t('tokens.note')}</Text>
        </div>
        {changes && <Button variant="default" leftSection={<IconKey size={16} aria-hidden />} onClick={() => setAdding(true)}>{t('tokens.add')}</Button>}
      </Group>
      {found.isError && <Alert color="red" variant="light" m="lg" icon={<IconAlertCircle size={18} />}>{refusalText(t, found.error)}</Alert>}
      {found.isPending ? (
        <Stack p="lg" role="status" aria-label={t('loading')}>{Array.from({ length: 2 }, (_, n) => <Skeleton key={n} height={24} />)}</Stack>
      ) : (found.data ?? []).length === 0 ? (
        <Empty icon={<IconRobot size={24} />} title={t('tokens.none')}>{t('tokens.noneText')}</Empty>
      ) : (
        <Table className="stack-table">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('tokens.name')}</Table.Th><Table.Th>{t('people.role')}</Table.Th><Table.Th>{t('people.sites')}</Table.Th><Table.Th>{t('tokens.expires')}</Table.Th><Table.Th>{t('tokens.used')}</Table.Th><Table.Th w={120} aria-label={t('people.actions')} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {(found.data ?? []).map((token) => {
              const over = token.expires !== null && token.expires <= Date.now();
              return (
                <Table.Tr key={token.name}>
                  <Table.Td>
                    <Group gap="xs">
                      <Text size="sm" fw={600}>{token.name}</Text>
                      {token.revoked !== null ? <Badge size="sm" variant="filled" color="red" tt="none">{t('tokens.revoked')}</Badge> : over && <Badge size="sm" variant="light" color="gray" tt="none">{t('tokens.over')}</Badge>}
                    </Group>
                    <Text size="xs" c="dimmed">{t('tokens.by', { who: token.created_by, when: dayAndTime(token.created, i18n.language) })}</Text>
                  </Table.Td>
                  <Table.Td>{t(`role.${token.role}`)}</Table.Td>
                  <Table.Td>{token.sites === null ? t('people.allSites') : token.sites.map((site) => labels.get(site) ?? site).join(', ')}</Table.Td>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{time(token.expires, t('tokens.never'))}</Table.Td>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{time(token.used, t('people.never'))}</Table.Td>
                  <Table.Td>{changes && token.revoked === null && <Button size="compact-sm" variant="subtle" color="red" aria-label={t('tokens.revokeOf', { name: token.name })} onClick={() => setEnding(token)}>{t('tokens.revoke')}</Button>}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      )}
      {adding && <TokenDialog close={() => setAdding(false)} />}
      {ending !== null && <Revoke token={ending} close={() => setEnding(null)} />}
    </Card>
  );
}

function TokenDialog({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const sites = useSites();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('analyst');
  const [only, setOnly] = useState<string[]>([]);
  const [days, setDays] = useState<string>('90');
  const done = useMutation({
    mutationFn: () => addToken(name, role, SCOPED.includes(role) && only.length > 0 ? only : null, days === '' ? null : Number(days)),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['tokens'] }),
  });
  if (done.data) return <Made title={done.data.name} text={t('tokens.made')} secret={done.data.token} close={close} />;
  return (
    <Modal opened onClose={close} title={t('tokens.add')} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        done.mutate();
      }}>
        <Stack>
          {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
          <TextInput label={t('tokens.name')} description={t('tokens.nameHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} required withAsterisk={false} autoCapitalize="none" spellCheck={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={name !== '' && !NAME.test(name) && t('fields.idBad')} />
          <Select label={t('people.role')} description={t(`people.roleHint.${role}`)} inputWrapperOrder={['label', 'input', 'error', 'description']} data={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))} value={role} onChange={(value) => value && setRole(value as Role)} allowDeselect={false} />
          {SCOPED.includes(role) && (
            <MultiSelect label={t('people.sites')} placeholder={only.length === 0 ? t('people.allSites') : undefined} data={(sites.data ?? []).map((site) => ({ value: site.site, label: site.label }))} value={only} onChange={setOnly} searchable clearable hidePickedOptions />
          )}
          <Select label={t('tokens.goodFor')} data={DAYS.map((value) => ({ value, label: value === '' ? t('tokens.untilRevoked') : t('tokens.days', { count: Number(value) }) }))} value={days} onChange={(value) => setDays(value ?? '')} allowDeselect={false} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" loading={done.isPending} disabled={!NAME.test(name)}>{t('tokens.make')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Revoke({ token, close }: { token: TokenLine; close: () => void }) {
  const { t } = useTranslation();
  const done = useMutation({
    mutationFn: () => revokeToken(token.name),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['tokens'] });
      close();
    },
  });
  return (
    <Modal opened onClose={close} title={t('tokens.revokeOf', { name: token.name })} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
        <Text size="sm">{t('tokens.revokeText')}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button color="red" loading={done.isPending} onClick={() => done.mutate()}>{t('tokens.revoke')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** A password or a token that is shown once. */
export function Made({ title, text, secret, close }: { title: string; text: string; secret: string; close: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        <Text size="sm">{text}</Text>
        <Group gap="xs" wrap="nowrap">
          <Code fz="md" p="sm" style={{ flex: 1, overflowWrap: 'anywhere' }}>{secret}</Code>
          <CopyButton value={secret}>
            {({ copied, copy }) => <Button variant="light" leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />} onClick={copy}>{copied ? t('people.copied') : t('people.copy')}</Button>}
          </CopyButton>
        </Group>
        <Group justify="flex-end"><Button onClick={close} data-autofocus>{t('people.done')}</Button></Group>
      </Stack>
    </Modal>
  );
}
