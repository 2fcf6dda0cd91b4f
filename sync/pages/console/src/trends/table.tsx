// The same stretches of time as rows, with every figure of them; and as a file.
import { Table, Text } from '@mantine/core';
import type { Cell } from '@shared/csv';
import { useTranslation } from 'react-i18next';
import { useFormats } from './formats';
import { SHOWS, type Line, stateOf, valueOf } from './series';

/** Rows that a table shows: the file has all. */
const ROWS_MAX = 400;

export function Rows({ lines, length_s, now, label }: { lines: readonly Line[]; length_s: number; now: number; label: string }) {
  const { t } = useTranslation();
  const formats = useFormats(length_s);
  const many = lines[0]?.name != null;
  const all = (lines[0]?.bins ?? []).flatMap((bin, n) => lines.map((line) => ({ name: line.name, bin: line.bins[n] ?? bin })));
  const over = all.filter(({ bin }) => stateOf(bin, now) !== 'future').reverse();
  return (
    <>
      <Table.ScrollContainer minWidth={760} type="native" tabIndex={0} mah={480} style={{ overflowY: 'auto' }}>
        <Table aria-label={label} stickyHeader>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('trends.time')}</Table.Th>
              {many && <Table.Th>{t(lines[0]?.site != null ? 'figures.branch' : 'figures.queue')}</Table.Th>}
              {SHOWS.map((show) => <Table.Th key={show} ta="right">{t(`trends.show.${show}`)}</Table.Th>)}
              <Table.Th>{t('trends.here')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {over.slice(0, ROWS_MAX).map(({ name, bin }) => (
              <Table.Tr key={`${bin.start} ${name ?? ''}`}>
                <Table.Th scope="row" fw={500} style={{ whiteSpace: 'nowrap' }}>{formats.stretch(bin.start)}</Table.Th>
                {many && <Table.Td>{name}</Table.Td>}
                {SHOWS.map((show) => {
                  const value = valueOf(bin, show, now);
                  return <Table.Td key={show} ta="right">{value === null ? '–' : formats.value(value, show)}</Table.Td>;
                })}
                <Table.Td>{formats.state(bin, stateOf(bin, now))}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {over.length > ROWS_MAX && <Text size="sm" c="dimmed" p="sm">{t('trends.rowsMore', { shown: ROWS_MAX, count: over.length })}</Text>}
    </>
  );
}

const COLUMNS = [
  'start', 'length_s', 'site', 'queue', 'offered', 'answered', 'abandoned', 'answered_in_t', 'abandoned_in_t', 'overflowed', 'recorded', 'wait_s', 'talk_s', 'hold_s', 'wrap_up_s', 'service_level',
  'state', 'intervals_expected', 'intervals_arrived', 'intervals_isolated', 'intervals_late', 'intervals_too_few_callers',
] as const;

/** Times are UTC, as ISO 8601 writes them. Where nothing can be said the figures are empty, not zero. */
export function rows(lines: readonly Line[], length_s: number, now: number): readonly (readonly Cell[])[] {
  const body = lines.flatMap((line) => line.bins.filter((bin) => stateOf(bin, now) !== 'future').map((bin): readonly Cell[] => {
    const said = valueOf(bin, 'offered', now) !== null;
    const figures = [bin.offered, bin.answered, bin.abandoned, bin.answered_in_t, bin.abandoned_in_t, bin.overflowed, bin.recorded, bin.wait_s, bin.talk_s, bin.hold_s, bin.wrap_up_s];
    const level = valueOf(bin, 'level', now);
    return [
      new Date(bin.start).toISOString(), length_s, line.site, line.queue, ...figures.map((n) => (said ? n : null)), level === null ? null : Math.round(level * 10_000) / 10_000,
      stateOf(bin, now), bin.expected, bin.arrived, bin.isolated, bin.late, bin.small,
    ];
  }));
  return [COLUMNS, ...body];
}
