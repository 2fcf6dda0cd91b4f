// The rows of a report with their total. A value of a row narrows the report to it.
import '@mantine/core/styles/Table.css';
import { Badge, Card, Group, Table, Text, Tooltip, UnstyledButton } from '@mantine/core';
import { clock } from '@shared/format';
import { useTranslation } from 'react-i18next';
import type { Dimension } from './ask';
import type { Report, Row, Time } from './report';
import { columnText, columnsOf, keyText, timeText, valueText, type Group as Figures } from './show';
import { useWords } from './words';

/** Rows on the page; a file has all. */
const ROWS_MAX = 500;

interface Props {
  report: Report;
  group: Figures;
  narrow: (dimension: Dimension, value: string | null) => void;
}

type Line = { time: Time; row: Row | null };

function linesOf(report: Report): Line[] {
  const lines: Line[] = [];
  let next = 0;
  report.times.forEach((time, index) => {
    if (time.down) lines.push({ time, row: null });
    for (; report.rows[next]?.time === index; next++) lines.push({ time, row: report.rows[next] ?? null });
  });
  return lines;
}

export function Rows({ report, group, narrow }: Props) {
  const { i18n } = useTranslation();
  const w = useWords();
  const columns = columnsOf(report, group);
  const lines = linesOf(report);
  const split = report.times.length > 1 || report.step !== 'total';
  const heads = (split ? 1 : 0) + report.by.length;
  return (
    <Card padding={0}>
      <div className="report-table" tabIndex={0} role="region" aria-label={w.title}>
        <Table highlightOnHover verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              {split && <Table.Th>{w.time}</Table.Th>}
              {report.by.map((dimension) => <Table.Th key={dimension}>{w.dimensions[dimension]}</Table.Th>)}
              {columns.map((index) => {
                const column = report.columns[index];
                return column && (
                  <Table.Th key={column.name} className="report-number">
                    <Tooltip label={column.formula} multiline maw={360}><span tabIndex={0}>{columnText(w, report, column)}</span></Tooltip>
                  </Table.Th>
                );
              })}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {lines.slice(0, ROWS_MAX).map(({ time, row }) => {
              const when = timeText(report, time.start, report.step, i18n.language);
              if (row === null)
                return (
                  <Table.Tr key={`down ${time.start}`} className="report-down">
                    {split && <Table.Th scope="row" fw={400}>{when}</Table.Th>}
                    <Table.Td colSpan={report.by.length + columns.length}><Text size="sm" fw={600}>{w.down}</Text></Table.Td>
                  </Table.Tr>
                );
              return (
                <Table.Tr key={`${time.start} ${JSON.stringify(row.key)}`}>
                  {split && (
                    <Table.Th scope="row" fw={400} style={{ whiteSpace: 'nowrap' }}>
                      <Group gap={8} wrap="nowrap">
                        {when}
                        {time.down_ms > 0 && <Badge size="sm" variant="light" color="yellow" tt="none">{w.part} {clock(time.down_ms)}</Badge>}
                        {time.running && <Badge size="sm" variant="light" color="gray" tt="none">{w.running}</Badge>}
                      </Group>
                    </Table.Th>
                  )}
                  {report.by.map((dimension, n) => {
                    const value = row.key[n] ?? null;
                    const text = keyText(w, report, dimension, value);
                    return (
                      <Table.Td key={dimension}>
                        <UnstyledButton fz="sm" className="report-key" aria-label={w.narrow + text} onClick={() => narrow(dimension, value)}>{text}</UnstyledButton>
                      </Table.Td>
                    );
                  })}
                  {columns.map((index) => <Table.Td key={index} className="report-number">{valueText(row.values[index], report.columns[index]?.unit ?? 'count', i18n.language)}</Table.Td>)}
                </Table.Tr>
              );
            })}
          </Table.Tbody>
          <Table.Tfoot>
            <Table.Tr>
              {heads > 0 && <Table.Th scope="row" colSpan={heads}>{w.total}</Table.Th>}
              {columns.map((index) => <Table.Td key={index} className="report-number">{valueText(report.total[index], report.columns[index]?.unit ?? 'count', i18n.language)}</Table.Td>)}
            </Table.Tr>
          </Table.Tfoot>
        </Table>
      </div>
      {lines.length > ROWS_MAX && <Text size="sm" c="dimmed" p="sm">{w.more}{lines.length - ROWS_MAX}</Text>}
    </Card>
  );
}
