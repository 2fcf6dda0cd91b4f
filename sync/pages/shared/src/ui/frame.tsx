// What every page stands in: theme, toasts, and a net for what breaks. Styles of components are the page's to load,
// before this.
import '../page.css';
import { Alert, Button, Center, MantineProvider, Stack, Text, Title } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { Component, StrictMode, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { useTranslation } from 'react-i18next';
import { theme, variables } from '../theme';

export function show(page: ReactNode) {
  const root = document.getElementById('root');
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
        <Notifications position="top-right" limit={4} zIndex={400} />
        <Net>{page}</Net>
      </MantineProvider>
    </StrictMode>,
  );
}

class Net extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };
  static getDerivedStateFromError() {
    return { broken: true };
  }
  override render() {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useTranslation();
  return (
    <Center mih="100vh" p="lg">
      <Alert color="red" radius="lg" maw={440}>
        <Stack gap="sm" align="flex-start">
          <Title order={1} size="h4">{t('crash.title')}</Title>
          <Text size="sm">{t('crash.text')}</Text>
          <Button onClick={() => window.location.reload()}>{t('crash.again')}</Button>
        </Stack>
      </Alert>
    </Center>
  );
}
