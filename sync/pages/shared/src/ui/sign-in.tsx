// The door of both pages.
import { ActionIcon, Alert, Box, Button, Card, Center, Group, Menu, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconAlertCircle, IconLanguage } from '@tabler/icons-react';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { refusalText } from '../text/words';
import { PreferenceItems } from './bits';

interface Props {
  title: string;
  note: string;
  nameLabel: string;
  namePlaceholder?: string;
  enter: (name: string, password: string) => Promise<unknown>;
  /** Why somebody who was inside stands here again. */
  reason?: ReactNode;
  /** Another way in, below the form's own. */
  other?: ReactNode;
}

export function SignIn({ title, note, nameLabel, namePlaceholder, enter, reason, other }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await enter(name.trim().toLowerCase(), password);
    } catch (refused) {
      setError(refused);
      setPassword('');
    } finally {
      setBusy(false);
    }
  }

  return (
    <Center mih="100vh" p="md" component="main">
      <Box w="100%" maw={380}>
        <Group justify="space-between" mb="lg">
          <Group gap="sm">
            <img src="/mark.svg" width={36} height={36} alt="" />
            <Text fw={650} size="lg">{t('product')}</Text>
          </Group>
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`${t('language')}, ${t('look.title')}`}>
                <IconLanguage size={20} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown><PreferenceItems /></Menu.Dropdown>
          </Menu>
        </Group>
        <Card padding="xl" shadow="xs">
          <form onSubmit={(event) => void submit(event)}>
            <Stack gap="md">
              <Box>
                <Title order={1} size="h3">{title}</Title>
                <Text size="sm" c="dimmed">{note}</Text>
              </Box>
              {reason}
              {error !== null && (
                <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">
                  {refusalText(t, error)}
                </Alert>
              )}
              <TextInput
                label={nameLabel}
                placeholder={namePlaceholder}
                autoComplete="username"
                autoCapitalize="none"
                spellCheck={false}
                required
                withAsterisk={false}
                autoFocus
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <PasswordInput
                label={t('signIn.password')}
                autoComplete="current-password"
                required
                withAsterisk={false}
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
              />
              <Button type="submit" loading={busy} fullWidth size="md">{t('signIn.submit')}</Button>
              {other}
            </Stack>
          </form>
        </Card>
      </Box>
    </Center>
  );
}
