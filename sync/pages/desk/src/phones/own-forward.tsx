// Call forwarding of one's own phone, from the menu.
import { notifications } from '@mantine/notifications';
import { ForwardDialog } from '@shared/edit/forward';
import type { Forward } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ownForward, setForward } from './api';

export default function OwnForward({ close }: { close: () => void }) {
  const { t } = useTranslation();
  const [own, setOwn] = useState<{ phone: string; forward: Forward } | null>(null);
  useEffect(() => {
    let gone = false;
    ownForward().then(
      (found) => !gone && setOwn(found),
      (refused: unknown) => {
        if (gone) return;
        notifications.show({ color: 'red', title: t('forward.name'), message: refusalText(t, refused), role: 'alert', closeButtonProps: { 'aria-label': t('close') } });
        close();
      },
    );
    return () => {
      gone = true;
    };
  }, [close, t]);
  return own === null ? null : <ForwardDialog phone={own.phone} forward={own.forward} close={close} save={setForward} />;
}
