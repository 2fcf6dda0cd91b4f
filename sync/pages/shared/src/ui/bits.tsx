// Small pieces that both pages are made of.
import { Badge, Box, Group, Loader, Menu, Stack, Text, ThemeIcon, Title, useMantineColorScheme } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCircleX, IconTool } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Finding, Severity } from '../model';
import { LANGUAGES, speak } from '../text/start';
import { SEVERITY_COLOR, problemText } from '../text/words';

/** The product's mark and name, and where we are. */
export function Brand({ place }: { place?: string }) {
  const { t } = useTranslation();
  return (
    <Group gap="sm" wrap="nowrap" miw={0}>
      <img src="/mark.svg" width={30} height={30} alt="" />
      <Box miw={0} visibleFrom="sm">
        <Text fw={650} size="sm" lh={1.2}>{t('product')}</Text>
        {place && <Text size="xs" c="dimmed" lh={1.2} truncate>{place}</Text>}
      </Box>
    </Group>
  );
}

/** Nothing here yet, and what to do about it. */
export function Empty({ icon, title, children, action }: { icon: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md">
      <ThemeIcon size={48} radius="xl" variant="light" color="gray" aria-hidden>{icon}</ThemeIcon>
      <Text fw={600} ta="center">{title}</Text>
      {children && <Text size="sm" c="dimmed" ta="center" maw={420}>{children}</Text>}
      {action && <Box mt="xs">{action}</Box>}
    </Stack>
  );
}

export function Heading({ title, note, children }: { title: string; note?: ReactNode; children?: ReactNode }) {
  return (
    <Group justify="space-between" align="flex-end" mb="lg" gap="sm">
      <Box>
        <Title order={1} size="h3">{title}</Title>
        {note && <Text size="sm" c="dimmed" component="div">{note}</Text>}
      </Box>
      {children}
    </Group>
  );
}

/** One figure with its name above it. */
export function Figure({ label, value, note, color }: { label: string; value: ReactNode; note?: ReactNode; color?: string }) {
  return (
    <Box>
      <Text className="quiet-caps">{label}</Text>
      <Text className="figure" c={color} component="div">{value}</Text>
      {note && <Text size="xs" c="dimmed" component="div">{note}</Text>}
    </Box>
  );
}

const SEVERITY_ICON: Record<Severity, typeof IconTool> = {
  repaired: IconTool,
  warning: IconAlertTriangle,
  fatal: IconCircleX,
};

/** Findings beside the field they are about. */
export function FindingNotes({ findings, where }: { findings: readonly Finding[]; where?: boolean }) {
  const { t } = useTranslation();
  if (findings.length === 0) return null;
  return (
    <Stack gap={4} mt={6}>
      {findings.map((finding) => {
        const Icon = SEVERITY_ICON[finding.severity];
        return (
          <Group key={finding.path + finding.problem.is} gap={6} wrap="nowrap" align="flex-start">
            <Box c={`var(--mantine-color-${SEVERITY_COLOR[finding.severity]}-text)`} mt={1} aria-hidden>
              <Icon size={15} />
            </Box>
            <Text size="xs" lh={1.45}>
              <Text span inherit fw={600}>{t(`finding.${finding.severity}`)}: </Text>
              {problemText(t, finding.problem)}
              {where && <Text span inherit c="dimmed"> {finding.path}</Text>}
            </Text>
          </Group>
        );
      })}
    </Stack>
  );
}

export function FindingCount({ count, severity }: { count: number; severity: Severity }) {
  const { t } = useTranslation();
  const Icon = SEVERITY_ICON[severity];
  if (count === 0) return null;
  return (
    <Badge variant="light" color={SEVERITY_COLOR[severity]} leftSection={<Icon size={12} aria-hidden />} tt="none">
      {count} <span className="visually-hidden">{t(`finding.${severity}`)}</span>
    </Badge>
  );
}

export function Wait() {
  const { t } = useTranslation();
  return (
    <Group justify="center" p="xl" role="status">
      <Loader size="sm" type="dots" aria-label={t('loading')} />
    </Group>
  );
}

/** Language and light or dark, as parts of a menu. */
export function PreferenceItems() {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const ticked = (on: boolean) => (on ? <IconCheck size={14} aria-hidden /> : undefined);
  return (
    <>
      <Menu.Label>{t('language')}</Menu.Label>
      {LANGUAGES.map(({ code, name }) => (
        <Menu.Item key={code} lang={code} onClick={() => void speak(code)} rightSection={ticked(i18n.language === code)}>
          {name}
        </Menu.Item>
      ))}
      <Menu.Label>{t('look.title')}</Menu.Label>
      {(['auto', 'light', 'dark'] as const).map((scheme) => (
        <Menu.Item key={scheme} onClick={() => setColorScheme(scheme)} rightSection={ticked(colorScheme === scheme)}>
          {t(`look.${scheme}`)}
        </Menu.Item>
      ))}
    </>
  );
}
