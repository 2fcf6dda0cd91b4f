// All findings of a configuration in one place, the gravest first.
import { Alert, Collapse, Group, Text, UnstyledButton } from '@mantine/core';
import { IconAlertTriangle, IconChevronDown, IconCircleX, IconTool } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Finding, Severity } from '../model';
import { FindingCount, FindingNotes } from '../ui/bits';

const ORDER: Severity[] = ['fatal', 'warning', 'repaired'];

export function FindingsSummary({ findings }: { findings: readonly Finding[] }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  if (findings.length === 0) return null;
  const sorted = [...findings].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const fatal = sorted[0]?.severity === 'fatal';
  const repaired = sorted[0]?.severity === 'repaired';
  const icon = fatal ? <IconCircleX size={20} /> : repaired ? <IconTool size={20} /> : <IconAlertTriangle size={20} />;
  return (
    <Alert color={fatal ? 'red' : repaired ? 'blue' : 'yellow'} variant="light" radius="lg" mb="lg" icon={icon}>
      <UnstyledButton onClick={() => setOpen(!open)} aria-expanded={open} w="100%">
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm" fw={600}>{fatal ? t('finding.fatalTitle') : t('finding.summary')}</Text>
          <Group gap={6} wrap="nowrap" className="on-tint">
            {ORDER.map((severity) => <FindingCount key={severity} severity={severity} count={findings.filter((f) => f.severity === severity).length} />)}
            <IconChevronDown size={16} aria-hidden style={{ transform: open ? 'rotate(180deg)' : undefined }} />
          </Group>
        </Group>
      </UnstyledButton>
      {fatal && <Text size="sm" mt={4}>{t('finding.fatalText')}</Text>}
      <Collapse expanded={open}><FindingNotes findings={sorted} where /></Collapse>
    </Alert>
  );
}
