// The console: who is in, and the places one can go.
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import { Alert, Button, Center, Divider, Stack, Text } from '@mantine/core';
import { IconAlertCircle, IconId } from '@tabler/icons-react';
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
import { me, signIn, singleSignOn } from './api';
import { Shell } from './shell';
import { Sites } from './sites/sites';
import { words } from './text';

const TrendsPage = lazy(() => import('./trends/trends'));
const FiguresPage = lazy(() => import('./figures/figures'));
const SitePage = lazy(() => import('./site/site'));
const BoxesPage = lazy(() => import('./boxes/boxes'));
const RolloutsPage = lazy(() => import('./rollouts/rollouts'));
const DrillsPage = lazy(() => import('./drills/drills'));
const FreshRollout = lazy(() => import('./rollouts/fresh'));
const PeoplePage = lazy(() => import('./people'));
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
        reason={<Refused />}
        other={<SingleSignOn />}
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
            <Route path="/trends" element={<TrendsPage />} />
            <Route path="/figures" element={<FiguresPage />} />
            <Route path="/boxes" element={<BoxesPage me={who.data} />} />
            <Route path="/drills" element={<DrillsPage me={who.data} />} />
            <Route path="/rollouts" element={<RolloutsPage me={who.data} />} />
            {who.data.may.includes('roll_out') && <Route path="/rollouts/new" element={<FreshRollout />} />}
            <Route path="/people" element={<PeoplePage me={who.data} />} />
            <Route path="/audit" element={<AuditPage />} />
            <Route path="*" element={<Navigate to="/sites" replace />} />
          </Routes>
        </Suspense>
      </Shell>
    </BrowserRouter>
  );
}

/** The way in through the organisation's identity provider, where there is one. */
function SingleSignOn() {
  const { t } = useTranslation();
  const found = useQuery({ queryKey: ['single-sign-on'], queryFn: singleSignOn, staleTime: Infinity });
  const label = found.data?.label;
  if (label == null) return null;
  return (
    <>
      <Divider label={t('single.or')} />
      <Button component="a" href="/api/single-sign-on/begin" variant="default" size="md" fullWidth leftSection={<IconId size={18} aria-hidden />}>{t('single.with', { label })}</Button>
    </>
  );
}

/** Why the identity provider's word was not enough. */
function Refused() {
  const { t } = useTranslation();
  const why = new URLSearchParams(window.location.search).get('sign_in');
  if (why === null) return null;
  const words = t('single.why', { returnObjects: true }) as Record<string, string>;
  return <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{Object.hasOwn(words, why) ? words[why] : words['refused']}</Alert>;
}

onSignedOut(forget);
void startText(words).then(() => show(<Queries><App /></Queries>));
