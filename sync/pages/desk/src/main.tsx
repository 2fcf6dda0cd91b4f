// The desk: who is in, and what they see then.
import './styles';
import { Button, Center, Stack, Text } from '@mantine/core';
import { Refusal, onSignedOut } from '@shared/api';
import { startText } from '@shared/text/start';
import { refusalText } from '@shared/text/words';
import { Wait } from '@shared/ui/bits';
import { show } from '@shared/ui/frame';
import { SignIn } from '@shared/ui/sign-in';
import { useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { help, me, signIn, type Help, type Me } from './api';
import { Desk } from './desk';
import { Helpless } from './helpless';
import { words } from './text';

type Who = { is: 'asking' } | { is: 'unknown'; error: unknown } | { is: 'out' } | { is: 'in'; me: Me };

function App() {
  const { t } = useTranslation();
  const [who, setWho] = useState<Who>({ is: 'asking' });
  const [canHelp, setCanHelp] = useState<Help | null>(null);
  const out = who.is === 'out';
  useEffect(() => {
    // A page that cannot ask has another thing to say.
    if (out) help().then((is) => setCanHelp(is.help), () => setCanHelp(null));
  }, [out]);
  const ask = useCallback(() => {
    setWho({ is: 'asking' });
    me().then(
      (found) => setWho({ is: 'in', me: found }),
      (error: unknown) => setWho(error instanceof Refusal && error.status === 401 ? { is: 'out' } : { is: 'unknown', error }),
    );
  }, []);
  const leave = useCallback(() => {
    setWho({ is: 'out' });
    // The next one at this desk sees nothing of what this one was shown.
    void import('@shared/ui/queries').then(({ queries }) => queries.clear());
  }, []);
  useEffect(() => {
    onSignedOut(leave);
    ask();
  }, [ask, leave]);

  switch (who.is) {
    case 'asking':
      return <Wait />;
    case 'unknown':
      return (
        <Center mih="100vh" p="md">
          <Stack align="center">
            <Text role="alert">{refusalText(t, who.error)}</Text>
            <Button onClick={ask}>{t('retry')}</Button>
          </Stack>
        </Center>
      );
    case 'out':
      return (
        <SignIn
          title={t('signInTitle')}
          note={t('signInNote')}
          nameLabel={t('signInName')}
          reason={<Helpless help={canHelp} />}
          enter={async (name, password) => setWho({ is: 'in', me: await signIn(name, password) })}
        />
      );
    case 'in':
      return <Desk key={who.me.agent} me={who.me} leave={leave} />;
  }
}

void startText(words).then(() => show(<App />));
