// What became of edits that centre and branch made apart.
import { Alert, Button, Card, Group, Skeleton, Stack } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { MergeView } from '@shared/history/merge';
import type { Config } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { queries } from '@shared/ui/queries';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { decide, merge } from '../api';

export function Merge({ site, config, readOnly }: { site: string; config: Config; readOnly: boolean }) {
  const { t } = useTranslation();
  const found = useQuery({ queryKey: ['site', site, 'merge'], queryFn: () => merge(site) });
  if (found.isPending) return <Card><Stack role="status" aria-label={t('loading')}>{Array.from({ length: 5 }, (_, n) => <Skeleton key={n} height={22} />)}</Stack></Card>;
  if (found.isError)
    return (
      <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />}>
        <Group justify="space-between">{refusalText(t, found.error)}<Button size="xs" variant="default" onClick={() => void found.refetch()}>{t('retry')}</Button></Group>
      </Alert>
    );
  const act = async (decision: Parameters<typeof decide>[1]) => {
    await decide(site, decision);
    await queries.invalidateQueries({ queryKey: ['site', site] });
  };
  return <MergeView report={found.data} config={config} decide={readOnly ? undefined : act} />;
}
