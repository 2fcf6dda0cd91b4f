// A new roll-out: which changes, to which branches, in which order; tried before anything is written.
import { Alert, Anchor, Badge, Button, Card, Group, MultiSelect, Select, Stack, Switch, Table, Text, TextInput, Title } from '@mantine/core';
import { IconAlertCircle, IconArrowLeft, IconCircleCheck, IconCircleX, IconFlask } from '@tabler/icons-react';
import { FieldList } from '@shared/history/fields';
import type { Change } from '@shared/model';
import { refusalText } from '@shared/text/words';
import { FindingNotes } from '@shared/ui/bits';
import { queries } from '@shared/ui/queries';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useSearchParams } from 'react-router';
import type { SiteLine } from '../api';
import { useSites } from '../sites/sites';
import { begin, look, templates as askTemplates, type Looked } from './api';
import { NOTHING } from './changes';
import { Picker } from './picker';

const SHARES = { all: [100], half: [50, 100], grow: [10, 50, 100] } as const;
type Shares = keyof typeof SHARES;
const SOAKS = ['600', '3600', '14400', '86400'] as const;
const PATIENCE_S = 1_800;

export default function FreshPage() {
  const { t } = useTranslation();
  const go = useNavigate();
  const [search] = useSearchParams();
  const sites = useSites();
  const kept = useQuery({ queryKey: ['templates'], queryFn: askTemplates });
  const named = kept.data?.find((template) => template.template === search.get('template'));
  const [picked, setPicked] = useState<Change[] | null>(null);
  const changes = picked ?? named?.changes ?? [];
  const [typed, setLabel] = useState<string | null>(null);
  const label = typed ?? named?.label ?? '';
  const [chosen, setChosen] = useState<string[]>([]);
  const [canaries, setCanaries] = useState<string[]>([]);
  const [shares, setShares] = useState<Shares>('grow');
  const [soak, setSoak] = useState<string>('3600');
  const [wantsCalls, setWantsCalls] = useState(true);
  const [overrule, setOverrule] = useState(false);
  const first = canaries.filter((site) => chosen.includes(site));
  const asked = JSON.stringify([changes, chosen, overrule]);
  const looked = useMutation({ mutationFn: async () => ({ asked, ...(await look(changes, chosen, overrule)) }) });
  const answer = looked.data?.asked === asked ? looked.data : null;
  const unfit = answer?.sites.filter((site) => !site.fits) ?? [];
  const run = useMutation({
    mutationFn: () => begin({ label, changes, overrule, sites: chosen, canaries: first, shares: [...SHARES[shares]], soak_s: Number(soak), patience_s: PATIENCE_S, wants_calls: wantsCalls && first.length > 0 }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['rollouts'] });
      void go('/rollouts');
    },
  });
  const all = sites.data ?? [];
  const choices = all.map((site) => ({ value: site.site, label: site.label }));
  return (
    <>
      <Anchor component={Link} to="/rollouts" size="sm" c="dimmed"><Group gap={4} component="span"><IconArrowLeft size={15} aria-hidden />{t('rollouts.title')}</Group></Anchor>
      <Title order={1} size="h3" mt={6} mb="lg">{t('rollouts.add')}</Title>
      <Stack gap="lg">
        <Card component="section" aria-labelledby="what">
          <Title order={2} size="h5" id="what" mb="sm">{t('rollouts.what')}</Title>
          <Stack>
            <TextInput label={t('rollouts.label')} value={label} maxLength={60} onChange={(event) => setLabel(event.currentTarget.value)} required withAsterisk={false} maw={420} />
            <Picker changes={changes} set={setPicked} sites={all} templates={kept.data ?? []} label={label} />
          </Stack>
        </Card>
        <Card component="section" aria-labelledby="where">
          <Title order={2} size="h5" id="where" mb="sm">{t('rollouts.where')}</Title>
          <Stack>
            <MultiSelect label={t('rollouts.branches')} data={choices} value={chosen} onChange={setChosen} searchable hidePickedOptions nothingFoundMessage={t('sites.nothingFound')} />
            <Tagged sites={all} add={(more) => setChosen([...new Set([...chosen, ...more])])} />
            <MultiSelect label={t('rollouts.canaries')} description={t('rollouts.canariesHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} data={choices.filter((choice) => chosen.includes(choice.value))} value={first} onChange={setCanaries} searchable hidePickedOptions nothingFoundMessage={t('sites.nothingFound')} />
            <Group grow align="flex-start" preventGrowOverflow={false}>
              <Select label={t('rollouts.shares')} data={(Object.keys(SHARES) as Shares[]).map((value) => ({ value, label: t(`rollouts.sharesOf.${value}`) }))} value={shares} onChange={(value) => setShares((value as Shares | null) ?? 'grow')} allowDeselect={false} miw={220} />
              <Select label={t('rollouts.soak')} description={t('rollouts.soakHint')} inputWrapperOrder={['label', 'input', 'error', 'description']} data={SOAKS.map((value) => ({ value, label: Number(value) < 3600 ? t('rollouts.minutes', { count: Number(value) / 60 }) : t('rollouts.hours', { count: Number(value) / 3600 }) }))} value={soak} onChange={(value) => setSoak(value ?? '3600')} allowDeselect={false} miw={220} />
            </Group>
            <Switch label={t('rollouts.wantsCalls')} description={t('rollouts.wantsCallsHint')} checked={wantsCalls} onChange={(event) => setWantsCalls(event.currentTarget.checked)} />
            <Switch label={t('rollouts.overrule')} description={t('rollouts.overruleHint')} checked={overrule} onChange={(event) => setOverrule(event.currentTarget.checked)} />
          </Stack>
        </Card>
        <Card component="section" aria-labelledby="try">
          <Group justify="space-between" mb="sm">
            <div>
              <Title order={2} size="h5" id="try">{t('rollouts.try')}</Title>
              <Text size="sm" c="dimmed">{t('rollouts.tryText')}</Text>
            </div>
            <Button variant="default" leftSection={<IconFlask size={16} aria-hidden />} loading={looked.isPending} disabled={changes.length === 0 || chosen.length === 0} onClick={() => looked.mutate()}>{t('rollouts.tryDo')}</Button>
          </Group>
          {looked.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, looked.error)}</Alert>}
          {answer && <Tried sites={answer.sites} />}
          {unfit.length > 0 && (
            <Alert color="yellow" variant="light" mt="sm" icon={<IconAlertCircle size={18} />}>
              <Group justify="space-between">{t('rollouts.unfit', { count: unfit.length })}<Button size="xs" variant="default" onClick={() => setChosen(chosen.filter((site) => unfit.every((one) => one.site !== site)))}>{t('rollouts.leaveOut')}</Button></Group>
            </Alert>
          )}
          {answer?.destructive && <Alert color="yellow" variant="light" mt="sm" icon={<IconAlertCircle size={18} />}>{t('rollouts.destructive')}</Alert>}
        </Card>
        {run.isError && <Alert color="red" variant="light" icon={<IconAlertCircle size={18} />} role="alert">{refusalText(t, run.error)}</Alert>}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" component={Link} to="/rollouts">{t('cancel')}</Button>
          <Button loading={run.isPending} disabled={answer === null || unfit.length > 0 || label.trim() === ''} onClick={() => run.mutate()}>{t('rollouts.begin')}</Button>
        </Group>
      </Stack>
    </>
  );
}

/** All branches of a tag at once. */
function Tagged({ sites, add }: { sites: readonly SiteLine[]; add: (sites: string[]) => void }) {
  const { t } = useTranslation();
  const tags = [...new Set(sites.flatMap((site) => site.tags))].sort();
  if (tags.length === 0) return null;
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed">{t('rollouts.tagged')}</Text>
      {tags.map((tag) => <Button key={tag} size="compact-sm" variant="light" onClick={() => add(sites.filter((site) => site.tags.includes(tag)).map((site) => site.site))}>{tag}</Button>)}
      <Button size="compact-sm" variant="subtle" onClick={() => add(sites.map((site) => site.site))}>{t('people.allSites')}</Button>
    </Group>
  );
}

function Tried({ sites }: { sites: readonly Looked[] }) {
  const { t } = useTranslation();
  return (
    <Table className="stack-table" aria-label={t('rollouts.try')}>
      <Table.Thead><Table.Tr><Table.Th>{t('sites.branch')}</Table.Th><Table.Th>{t('rollouts.outcome')}</Table.Th><Table.Th>{t('rollouts.differs')}</Table.Th></Table.Tr></Table.Thead>
      <Table.Tbody>
        {sites.map((site) => (
          <Table.Tr key={site.site}>
            <Table.Td><Text size="sm" fw={600}>{site.label}</Text></Table.Td>
            <Table.Td data-label={t('rollouts.outcome')}>
              <Badge variant="light" color={site.fits ? 'green' : 'red'} tt="none" leftSection={site.fits ? <IconCircleCheck size={12} aria-hidden /> : <IconCircleX size={12} aria-hidden />}>{t(site.fits ? 'rollouts.fits' : 'rollouts.fitsNot')}</Badge>
              {site.refused && <Text size="xs" mt={4}>{site.refused[1]}</Text>}
              <FindingNotes findings={site.findings} where />
            </Table.Td>
            <Table.Td data-label={t('rollouts.differs')}>{site.differences.length === 0 ? <Text size="sm" c="dimmed">{t(site.fits ? 'rollouts.sameAlready' : 'none')}</Text> : <FieldList fields={site.differences} config={NOTHING} />}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
