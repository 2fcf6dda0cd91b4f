// The console: who is in, and the places one can go.
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import { Button, Center, Stack, Text } from '@mantine/core';
import { Refusal, onSignedOut } from '@shared/api';
import { startText } from '@shared/text/start';
import { refusalText } from '@shared/text/words';
import { Wait } from '@shared/ui/bits';
import { show } from '@shared/ui/frame';
import { Queries, forget, queries } from '@shared/ui/queries';
import { SignIn } from '@shared/ui/sign-in';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy } from 'react';
import { useTranslation } from 'react-i18next';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';
import { me, signIn } from './api';
import { Shell } from './shell';
import { Sites } from './sites/sites';
import { words } from './text';

const FiguresPage = lazy(() => import('./figures/figures'));
const SitePage = lazy(() => import('./site/site'));
const BoxesPage = lazy(() => import('./boxes/boxes'));
const AuditPage = lazy(() => import('./audit'));

function App() {
  const { t } = useTranslation();
  const who = useQuery({
    queryKey: ['me'],
    queryFn: () => me().catch((error: unknown) => {
      if (error instanceof Refusal && error.status === 401) return null;
      throw error;
    }),
    staleTime: Infinity,
  });
  if (who.isPending) return <Wait />;
  if (who.isError)
    return (
      <Center mih="100vh" p="md">
        <Stack align="center">
          <Text role="alert">{refusalText(t, who.error)}</Text>
          <Button onClick={() => void who.refetch()}>{t('retry')}</Button>
        </Stack>
      </Center>
    );
  if (who.data === null)
    return (
      <SignIn
        title={t('signInTitle')}
        note={t('signInNote')}
        nameLabel={t('signInName')}
        enter={async (login, password) => {
          await signIn(login, password);
          queries.setQueryData(['me'], await me());
        }}
      />
    );
  return (
    <BrowserRouter>
      <Shell me={who.data}>
        <Suspense fallback={<Wait />}>
          <Routes>
            <Route path="/" element={<Navigate to="/sites" replace />} />
            <Route path="/sites" element={<Sites />} />
            <Route path="/sites/:site/:tab?" element={<SitePage me={who.data} />} />
            <Route path="/figures" element={<FiguresPage />} />
            <Route path="/boxes" element={<BoxesPage me={who.data} />} />
            <Route path="/audit" element={<AuditPage />} />
            <Route path="*" element={<Navigate to="/sites" replace />} />
          </Routes>
        </Suspense>
      </Shell>
    </BrowserRouter>
  );
}

onSignedOut(forget);
void startText(words).then(() => show(<Queries><App /></Queries>));
