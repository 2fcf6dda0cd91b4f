// Offers a kept bundle to branches.
import { Alert, Button, Group, Modal, MultiSelect, Stack, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { refusalText } from '@shared/text/words';
import { queries } from '@shared/ui/queries';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { offer, type Bundle, type SiteLine } from '../api';

export function OfferDialog({ bundle, sites, close }: { bundle: Bundle; sites: readonly SiteLine[]; close: () => void }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<string[]>([]);
  const free = sites.filter((site) => !bundle.offered_to.includes(site.site));
  const done = useMutation({
    mutationFn: async () => {
      for (const site of chosen) await offer(site, bundle.sha256);
    },
    onSuccess: close,
    // Some may have been offered before one was refused.
    onSettled: () => queries.invalidateQueries({ queryKey: ['bundles'] }),
  });
  return (
    <Modal opened onClose={close} title={t('bundles.offerTitle', { bundle: bundle.name })} closeButtonProps={{ 'aria-label': t('close') }}>
      <Stack>
        {done.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, done.error)}</Alert>}
        <Text size="sm">{t('bundles.offerText')}</Text>
        {free.length === 0 ? (
          <Text size="sm" c="dimmed">{t('bundles.everywhere')}</Text>
        ) : (
          <MultiSelect label={t('bundles.branches')} data={free.map((site) => ({ value: site.site, label: site.label }))} value={chosen} onChange={setChosen} searchable hidePickedOptions nothingFoundMessage={t('sites.nothingFound')} data-autofocus />
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>{t('cancel')}</Button>
          <Button loading={done.isPending} disabled={chosen.length === 0} onClick={() => done.mutate()}>{t('bundles.offer')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
