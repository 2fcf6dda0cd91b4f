// Changes in words, without a branch that they are of.
import { Text } from '@mantine/core';
import type { Change, Config } from '@shared/model';
import { useTranslation } from 'react-i18next';
import { described } from '../site/described';

/** Ids are all that is known of things that are not of one branch. */
export const NOTHING = { queues: {}, agents: {}, phones: {}, trunks: {}, numbers: {}, flows: {}, hours: {}, places: {} } as unknown as Config;

export function useChangeText(): (change: Change) => string {
  const { t } = useTranslation();
  return (change) => {
    const { of, field, value } = described(t, NOTHING, change);
    return `${of} · ${field}${value === null ? '' : `: ${value}`}`;
  };
}

export function ChangeList({ changes }: { changes: readonly Change[] }) {
  const text = useChangeText();
  return (
    <ul className="plain-list">
      {changes.map((change, index) => <li key={index}><Text size="sm" style={{ overflowWrap: 'anywhere' }}>{text(change)}</Text></li>)}
    </ul>
  );
}
