// Fields with what stood there before and what stands after.
import { Group, Stack, Text } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { dayAndTime } from '../format';
import type { By, Config, Difference, Scalar } from '../model';
import { pathText, valueText } from './paths';

export function FieldList({ fields, config, overwritten }: {
  fields: readonly (Difference & { stands?: boolean })[];
  config: Config;
  /** Says of a field that somebody wrote there since. */
  overwritten?: boolean;
}) {
  const { t } = useTranslation();
  return (
    <Stack gap={6} component="ul" className="plain-list">
      {fields.map((field) => (
        <li key={field.path}>
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>{pathText(t, config, field.path)}</Text>
          <Group gap={6} align="center">
            <ValueText path={field.path} config={config} value={field.before} dimmed />
            <IconArrowRight size={14} aria-label={t('merge.became')} role="img" />
            <ValueText path={field.path} config={config} value={field.after} />
            {overwritten && field.stands === false && <Text size="xs" c="dimmed">{t('merge.overwritten')}</Text>}
          </Group>
        </li>
      ))}
    </Stack>
  );
}

export function ValueText({ path, config, value, dimmed }: { path: string; config: Config; value: Scalar | undefined; dimmed?: boolean }) {
  const { t } = useTranslation();
  const text = valueText(t, config, path, value);
  const long = text.length > 60;
  return <Text span size="sm" c={dimmed || value === undefined ? 'dimmed' : undefined} ff={long ? 'monospace' : undefined} lineClamp={3} maw={520} style={{ overflowWrap: 'anywhere' }}>{text}</Text>;
}

/** `Mei · 4 Nov, 12:03`. */
export function useWho(zone: string) {
  const { t, i18n } = useTranslation();
  const name = (by: By) => {
    if (by.side === 'branch') return by.author ?? t('merge.theBranch');
    return by.author === null ? t('merge.theCentre') : by.author === MACHINE ? t('merge.theServer') : by.author;
  };
  const when = (at: number) => dayAndTime(at, i18n.language, zone);
  return {
    name,
    when,
    line: (by: By) => `${name(by)} · ${when(by.written)}`,
    /** With the side first: `Branch · 4 Nov, 12:03`, `Centre · mei · 4 Nov, 12:03`. */
    sided: (by: By) => [t(`merge.side.${by.side}`), by.author === null ? null : name(by), when(by.written)].filter(Boolean).join(' · '),
  };
}

/** Who the cloud writes for what it did by itself. */
export const MACHINE = 'cloudd';
