// The people who may use the console: who they are, what they may and of which branches; new ones and new passwords.
import { ActionIcon, Alert, Badge, Button, Card, Group, Menu, Modal, MultiSelect, Radio, Skeleton, Stack, Switch, Table, Text, TextInput, Tooltip } from '@mantine/core';
import { IconAlertCircle, IconDotsVertical, IconKey, IconPencil, IconUserPlus, IconUsers } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { refusalText } from '@shared/text/words';
import { Empty, Heading } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ROLES, SCOPED, addPerson, newPassword, people as askPeople, setPerson, type Me, type Person, type Role } from './api';
import { useSites } from './sites/sites';
import { Made, Tokens } from './tokens';

type Open = { what: 'add' } | { what: 'edit' | 'password'; person: Person };

export default function PeoplePage({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const found = useQuery({ queryKey: ['people'], queryFn: askPeople });
  const sites = useSites();
  const labels = new Map((sites.data ?? []).map((site) => [site.site, site.label]));
  const [open, setOpen] = useState<Open | null>(null);
  const changes = me.may.includes('change_people');
  const close = () => setOpen(null);
  return (
    <>
      <Heading title={t('people.title')} note={t('people.note')}>
        {changes && <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setOpen({ what: 'add' })}>{t('people.add')}</Button>}
      </Heading>
      {found.isError && (
        <Alert color="red" variant="light" mb="lg" icon={<IconAlertCircle size={18} />}>
          <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
        </Alert>
      )}
      <Card padding={0}>
        {found.isPending ? (
          <Stack p="lg" role="status" aria-label={t('loading')}>{Array.from({ length: 4 }, (_, n) => <Skeleton key={n} height={24} />)}</Stack>
        ) : (found.data ?? []).length === 0 ? (
          <Empty icon={<IconUsers size={24} />} title={t('people.none')} />
        ) : (
          <Table className="stack-table">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('people.login')}</Table.Th><Table.Th w={190}>{t('people.role')}</Table.Th><Table.Th>{t('people.sites')}</Table.Th><Table.Th w={170}>{t('people.signedIn')}</Table.Th><Table.Th w={60} aria-label={t('people.actions')} />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {(found.data ?? []).map((person) => (
                <Table.Tr key={person.login}>
                  <Table.Td style={{ overflowWrap: 'anywhere' }}>
                    <Group gap="xs">
                      <Text size="sm" fw={600}>{person.login}</Text>
                      {person.login === me.login && <Badge size="sm" variant="light" tt="none">{t('people.you')}</Badge>}
                      {person.disabled !== null && <Badge size="sm" variant="filled" color="red" tt="none">{t('people.disabled')}</Badge>}
                      {person.issuer !== null && <Tooltip label={person.issuer}><Badge size="sm" variant="light" color="gray" tt="none" tabIndex={0}>{t('people.single')}</Badge></Tooltip>}
                    </Group>
                  </Table.Td>
                  <Table.Td>{t(`role.${person.role}`)}</Table.Td>
                  <Table.Td>{person.sites === null ? t('people.allSites') : person.sites.map((site) => labels.get(site) ?? site).join(', ')}</Table.Td>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>{person.signed_in === null ? t('people.never') : dayAndTime(person.signed_in, i18n.language)}</Table.Td>
                  <Table.Td>
                    {changes && (
                      <Menu position="bottom-end">
                        <Menu.Target>
                          <ActionIcon variant="subtle" color="gray" aria-label={t('people.actionsOf', { login: person.login })}><IconDotsVertical size={18} /></ActionIcon>
                        </Menu.Target>
                        <Menu.Dropdown>
                          <Menu.Item leftSection={<IconPencil size={16} />} disabled={person.login === me.login} onClick={() => setOpen({ what: 'edit', person })}>{t('people.edit')}</Menu.Item>
                          <Menu.Item leftSection={<IconKey size={16} />} disabled={person.issuer !== null || person.login === me.login} onClick={() => setOpen({ what: 'password', person })}>{t('people.password')}</Menu.Item>
                        </Menu.Dropdown>
                      </Menu>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Card>
      <Tokens changes={changes} labels={labels} />
      {open?.what === 'add' && <PersonDialog close={close} />}
      {open?.what === 'edit' && <PersonDialog person={open.person} close={close} />}
      {open?.what === 'password' && <NewPassword person={open.person} close={close} />}
    </>
  );
}

/** Somebody new, or what somebody may from now on. */
function PersonDialog({ person, close }: { person?: Person; close: () => void }) {
  const { t } = useTranslation();
  const sites = useSites();
  const [login, setLogin] = useState(person?.login ?? '');
  const [role, setRole] = useState<Role>(person?.role ?? 'supervisor');
  const [only, setOnly] = useState<string[]>(person?.sites ?? []);
  const [enabled, setEnabled] = useState(person?.disabled == null);
  const scope = SCOPED.includes(role) && only.length > 0 ? only : null;
  const done = useMutation({
    mutationFn: async () => {
      if (person === undefined) return addPerson(login.trim().toLowerCase(), role, scope);
      await setPerson(person.login, role, scope, !enabled);
      return null;
    },
    onSuccess: async (made) => {
      await queries.invalidateQueries({ queryKey: ['people'] });
      if (made === null) close();
    },
  });
  if (done.data) return <Made title={done.data.login} text={t('people.made')} secret={done.data.password} close={close} />;
  return (
    <Modal opened onClose={close} title={person === undefined ? t('people.add') : person.login} closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => {
        event.preventDefault();
        done.mutate();
      }}>
        <Stack>
          {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
          {person === undefined && <TextInput label={t('people.login')} description={t('people.loginHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} required withAsterisk={false} autoCapitalize="none" spellCheck={false} data-autofocus value={login} onChange={(e) => setLogin(e.currentTarget.value)} />}
          <Radio.Group label={t('people.role')} value={role} onChange={(value) => setRole(value as Role)}>
            <Stack gap={8} mt={6}>
              {ROLES.map((each) => <Radio key={each} value={each} label={t(`role.${each}`)} description={t(`people.roleHint.${each}`)} />)}
            </Stack>
          </Radio.Group>
          {SCOPED.includes(role) && (
            <MultiSelect label={t('people.sites')} placeholder={only.length === 0 ? t('people.allSites') : undefined} data={(sites.data ?? []).map((site) => ({ value: site.site, label: site.label }))} value={only} onChange={setOnly} searchable clearable hidePickedOptions />
          )}
          {person !== undefined && <Switch label={t('people.enabled')} description={t('people.enabledHint')} checked={enabled} onChange={(e) => setEnabled(e.currentTarget.checked)} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>{t('cancel')}</Button>
            <Button type="submit" loading={done.isPending} disabled={login.trim() === ''}>{person === undefined ? t('people.addSubmit') : t('save')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function NewPassword({ person, close }: { person: Person; close: () => void }) {
  const { t } = useTranslation();
  const done = useMutation({ mutationFn: () => newPassword(person.login) });
  if (done.data) return <Made title={done.data.login} text={t('people.made')} secret={done.data.password} close={close} />;
  return (
    <Modal opened onClose={close} title={t('people.password')} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
        <Text size="sm">{t('people.passwordText', { login: person.login })}</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>{t('cancel')}</Button>
          <Button loading={done.isPending} onClick={() => done.mutate()}>{t('people.passwordSubmit')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
