// What somebody at the centre must see: over every place of the console until an administrator says that it was seen.
import { Box, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconUrgent } from '@tabler/icons-react';
import { dayAndTime } from '@shared/format';
import { queries } from '@shared/ui/queries';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { noticeSeen, notices as ask, type Me, type NoticeLine } from './api';

/** What arrives so long after it happened came over a line that was cut. */
const LATE_MS = 60_000;
const SHOWN_MAX = 5;

export function Notices({ me }: { me: Me }) {
  const { t, i18n } = useTranslation();
  const found = useQuery({ queryKey: ['notices'], queryFn: ask, refetchInterval: 10_000 });
  const open = (found.data ?? []).filter((line) => line.alarm && line.seen_by === null);
  if (open.length === 0) return null;
  const urgent = open.some((line) => line.what.startsWith('emergency'));
  const Icon = urgent ? IconUrgent : IconAlertTriangle;
  async function see(lines: NoticeLine[]) {
    try {
      for (const line of lines) await noticeSeen(line);
    } finally {
      await queries.invalidateQueries({ queryKey: ['notices'] });
    }
  }
  const late = (line: NoticeLine) => (line.received - line.at > LATE_MS ? ` ${t('notices.late', { time: dayAndTime(line.received, i18n.language) })}` : '');
  return (
    <Group role="alert" gap="md" mb="md" px="md" py={12} wrap="nowrap" align="flex-start" style={{ borderRadius: 8, background: urgent ? '#a51111' : '#7a4b00', color: '#fff' }}>
      <Icon size={26} aria-hidden style={{ flex: 'none' }} />
      <Stack gap={2} style={{ flex: 1 }}>
        <Text fw={700}>{t(urgent ? 'notices.titleUrgent' : 'notices.title')}</Text>
        {open.slice(0, SHOWN_MAX).map((line) => (
          <Text size="sm" key={`${line.site}-${line.notice}`}>
            {`${line.site_label ?? line.site}${[line.place, line.trunk].filter((of) => of !== null).map((of) => `, ${of}`).join('')}: ${t(`notices.${line.what}`)} ${dayAndTime(line.at, i18n.language)}.${late(line)}`}
          </Text>
        ))}
        {open.length > SHOWN_MAX && <Text size="sm">{t('notices.more', { count: open.length - SHOWN_MAX })}</Text>}
      </Stack>
      <Box style={{ flex: 'none' }}>
        {me.may.includes('answer_notice') && <Button color="dark" variant="white" onClick={() => void see(open)}>{t('notices.seen')}</Button>}
      </Box>
    </Group>
  );
}
