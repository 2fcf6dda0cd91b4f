// How a queue chooses: strategy, customers of value, the agent a customer knows, and whom else to ask.
import { ActionIcon, Box, Button, Group, MultiSelect, NumberInput, Select, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Queue, Routing, Strategy, Tier } from '../model';
import { Seconds } from './editing';

const STRATEGIES: Strategy[] = ['longest_idle', 'least_occupied', 'most_skilled', 'round_robin'];
const TIERS_MAX = 6;

const within = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;

export function routingValid({ ageing_s, last_agent_s, reserve, tiers }: Routing) {
  const opens = (tier: Tier) => tier.after_s !== null || tier.longer_than !== null;
  const fits = (tier: Tier) => within(tier.after_s ?? 0, 0, 3600) && within(tier.longer_than ?? 0, 0, 100_000) && within(tier.levels_less, 0, 10);
  return within(ageing_s, 10, 3600) && within(last_agent_s, 0, 600) && within(reserve.agents, 0, 1000) && tiers.every((tier) => opens(tier) && fits(tier));
}

export function RoutingFields({ id, queues, routing, set, disabled, notes }: {
  id: string;
  queues: Record<string, Queue>;
  routing: Routing;
  set: (routing: Routing) => void;
  disabled: boolean;
  notes: ReactNode;
}) {
  const { t } = useTranslation();
  const change = (part: Partial<Routing>) => set({ ...routing, ...part });
  const others = Object.entries(queues).filter(([other]) => other !== id).map(([value, queue]) => ({ value, label: queue.label }));
  return (
    <Stack gap="md">
      <Text fw={600} size="sm">{t('routing.title')}</Text>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <Select
          label={t('routing.strategy')}
          description={t(`routing.${routing.strategy}_hint`)}
          data={STRATEGIES.map((value) => ({ value, label: t(`routing.${value}`) }))}
          value={routing.strategy}
          onChange={(strategy) => strategy && change({ strategy: strategy as Strategy })}
          allowDeselect={false}
          disabled={disabled}
        />
        <Seconds label={t('routing.ageing')} hint={t('routing.ageingHint')} min={10} max={3600} value={routing.ageing_s} set={(ageing_s) => change({ ageing_s })} disabled={disabled} notes={null} />
        <Seconds label={t('routing.lastAgent')} hint={t('routing.lastAgentHint')} min={0} max={600} value={routing.last_agent_s} set={(last_agent_s) => change({ last_agent_s })} disabled={disabled} notes={null} />
        <Group align="end" grow wrap="nowrap">
          <Whole label={t('routing.reserve')} hint={t('routing.reserveHint')} min={0} max={1000} value={routing.reserve.agents} set={(agents) => change({ reserve: { ...routing.reserve, agents: agents ?? 0 } })} disabled={disabled} />
          <Select
            label={t('routing.reserveValue')}
            data={['1', '2', '3', '4']}
            value={String(routing.reserve.value)}
            onChange={(value) => change({ reserve: { ...routing.reserve, value: Number(value ?? 1) } })}
            allowDeselect={false}
            disabled={disabled || routing.reserve.agents === 0}
          />
        </Group>
      </SimpleGrid>
      <Text size="sm" c="dimmed">{t('routing.tiersHint')}</Text>
      {routing.tiers.map((tier, at) => (
        <TierFields
          // A tier is its place in the list.
          key={at}
          name={t('routing.tier', { number: at + 1 })}
          tier={tier}
          others={others}
          disabled={disabled}
          set={(part) => change({ tiers: routing.tiers.map((one, n) => (n === at ? { ...one, ...part } : one)) })}
          remove={() => change({ tiers: routing.tiers.filter((_, n) => n !== at) })}
        />
      ))}
      {!disabled && routing.tiers.length < TIERS_MAX && (
        <Box>
          <Button
            variant="light"
            size="xs"
            leftSection={<IconPlus size={14} />}
            onClick={() => change({ tiers: [...routing.tiers, { after_s: 30 * (routing.tiers.length + 1), longer_than: null, levels_less: 0, also: [] }] })}
          >
            {t('routing.addTier')}
          </Button>
        </Box>
      )}
      {notes}
    </Stack>
  );
}

function TierFields({ name, tier, others, disabled, set, remove }: {
  name: string;
  tier: Tier;
  others: { value: string; label: string }[];
  disabled: boolean;
  set: (part: Partial<Tier>) => void;
  remove: () => void;
}) {
  const { t } = useTranslation();
  const never = tier.after_s === null && tier.longer_than === null;
  return (
    <Box role="group" aria-label={name}>
      <Group justify="space-between" mb={4}>
        <Text size="sm" fw={500}>{name}</Text>
        {!disabled && (
          <ActionIcon variant="subtle" color="red" aria-label={`${t('routing.removeTier')} ${name}`} onClick={remove}><IconTrash size={16} /></ActionIcon>
        )}
      </Group>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }} spacing="md">
        <Whole label={t('routing.after')} min={0} max={3600} value={tier.after_s} set={(after_s) => set({ after_s })} disabled={disabled} error={never && t('routing.never')} />
        <Whole label={t('routing.longer')} min={0} max={100_000} value={tier.longer_than} set={(longer_than) => set({ longer_than })} disabled={disabled} />
        <Whole label={t('routing.less')} min={0} max={10} value={tier.levels_less} set={(less) => set({ levels_less: less ?? 0 })} disabled={disabled} />
        <MultiSelect label={t('routing.also')} data={others} value={tier.also} onChange={(also) => set({ also })} disabled={disabled} />
      </SimpleGrid>
    </Box>
  );
}

/** A whole number; empty is none. */
function Whole({ label, hint, min, max, value, set, disabled, error }: {
  label: string;
  hint?: string;
  min: number;
  max: number;
  value: number | null;
  set: (value: number | null) => void;
  disabled: boolean;
  error?: ReactNode;
}) {
  return (
    <NumberInput
      label={label}
      description={hint}
      min={min}
      max={max}
      allowDecimal={false}
      value={value ?? ''}
      onChange={(typed) => set(typeof typed === 'number' ? typed : null)}
      disabled={disabled}
      error={error}
    />
  );
}
