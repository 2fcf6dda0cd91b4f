// A list of things at the left and the chosen one at the right.
import { Box, Card, Group, NavLink, ScrollArea, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Finding } from '../model';
import { findingsAt } from '../text/words';
import { FindingCount } from '../ui/bits';

export interface Entry {
  id: string;
  label: string;
  note?: string;
  path: string;
}

export function TwoPanes({ label, entries, chosen, choose, findings, action, empty, children }: {
  label: string;
  entries: readonly Entry[];
  chosen: string | null;
  choose: (id: string) => void;
  findings: readonly Finding[];
  action?: ReactNode;
  empty: ReactNode;
  children: ReactNode;
}) {
  if (entries.length === 0) {
    return <Card>{empty}</Card>;
  }
  return (
    <Box className="two-panes">
      <Card padding={6} component="nav" aria-label={label}>
        <ScrollArea.Autosize mah="70vh" type="auto">
          <Stack gap={2}>
            {entries.map((entry) => {
              const found = findingsAt(findings, entry.path);
              const worst = (['fatal', 'warning', 'repaired'] as const).find((s) => found.some((f) => f.severity === s));
              return (
                <NavLink
                  key={entry.id}
                  component="button"
                  type="button"
                  active={entry.id === chosen}
                  aria-current={entry.id === chosen ? 'true' : undefined}
                  onClick={() => choose(entry.id)}
                  label={<Text size="sm" fw={500} truncate>{entry.label}</Text>}
                  description={entry.note}
                  rightSection={worst && <FindingCount severity={worst} count={found.length} />}
                  style={{ borderRadius: 'var(--mantine-radius-md)' }}
                />
              );
            })}
          </Stack>
        </ScrollArea.Autosize>
        {action && <Group p="xs">{action}</Group>}
      </Card>
      <Box miw={0}>{children}</Box>
    </Box>
  );
}
