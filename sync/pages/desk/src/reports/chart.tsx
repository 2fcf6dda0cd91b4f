// A figure over time: columns for one line, lines for several. Where the box was down it is hatched and nothing is drawn.
// The table beside it has every figure; arrow keys read out one stretch after the other.
import { Box, Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useId, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Report } from './report';
import { columnText, scale, series, timeText, valueText } from './show';
import { useWords } from './words';
import { path } from '@shared/line';

const HEIGHT = 250;
const PAD = { left: 62, right: 10, top: 10, bottom: 26 };
const LABEL_WIDTH = 92;
const LINES_MAX = 6;
const DASHES = ['', '7 4', '2 4', '10 4 2 4', '14 4', '4 8'];

export function Chart({ report, column }: { report: Report; column: number }) {
  const { i18n } = useTranslation();
  const w = useWords();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [cursor, setCursor] = useState<number | null>(null);
  const hatch = useId();
  const of = report.columns[column];
  const times = report.times;
  if (of === undefined || times.length < 2) return null;
  const lines = series(w, report, column, LINES_MAX);
  const ticks = scale(Math.max(0, ...lines.flatMap((line) => line.values.map((value) => value ?? 0))), of.unit);
  const top = ticks.at(-1) ?? 1;
  const inner = { width: Math.max(0, width - PAD.left - PAD.right), height: HEIGHT - PAD.top - PAD.bottom };
  const slot = inner.width / times.length;
  const x = (n: number) => PAD.left + n * slot;
  const y = (value: number) => PAD.top + inner.height * (1 - Math.min(value, top) / top);
  const every = Math.max(1, Math.ceil(times.length / Math.max(1, Math.floor(inner.width / LABEL_WIDTH))));
  const at = Math.min(cursor ?? times.length - 1, times.length - 1);
  const when = (n: number) => timeText(report, times[n]?.start ?? 0, report.step, i18n.language);
  const readOut = (n: number) => {
    if (times[n]?.down) return `${when(n)}: ${w.down}`;
    const said = lines.map((line) => [line.name, valueText(line.values[n], of.unit, i18n.language)].filter(Boolean).join(' '));
    return `${when(n)}: ${said.join(' · ')}`;
  };
  const move = (event: KeyboardEvent) => {
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: times.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setCursor(Math.min(times.length - 1, Math.max(0, next)));
  };
  return (
    <Box ref={ref}>
      <div
        className="report-chart" role="slider" tabIndex={0} aria-label={`${w.chart}: ${columnText(w, report, of)}`} aria-valuemin={0} aria-valuemax={times.length - 1} aria-valuenow={at}
        aria-valuetext={readOut(at)} onKeyDown={move}
      >
        <svg
          width={width} height={HEIGHT} aria-hidden onPointerLeave={() => setCursor(null)}
          onPointerMove={(event) => {
            const n = Math.floor((event.clientX - event.currentTarget.getBoundingClientRect().left - PAD.left) / slot);
            setCursor(n >= 0 && n < times.length ? n : null);
          }}
        >
          <defs>
            <pattern id={hatch} width={7} height={7} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width={7} height={7} className="report-hatch-ground" />
              <line x1={0} y1={0} x2={0} y2={7} className="report-hatch-line" />
            </pattern>
          </defs>
          {ticks.map((value) => (
            <g key={value}>
              <line x1={PAD.left} x2={PAD.left + inner.width} y1={y(value)} y2={y(value)} className="report-grid" />
              <text x={PAD.left - 8} y={y(value)} dy="0.32em" textAnchor="end" className="report-tick">{of.unit === 'permille' ? `${value / 10} %` : valueText(value, of.unit, i18n.language)}</text>
            </g>
          ))}
          {times.map((time, n) => time.down_ms > 0 && <rect key={time.start} x={x(n)} y={PAD.top} width={slot} height={inner.height} fill={`url(#${hatch})`} opacity={time.down ? 1 : 0.5} />)}
          {lines.map((line, index) => (
            <g key={line.name} data-series={index}>
              {lines.length === 1
                ? line.values.map((value, n) => value !== null && <rect key={n} x={x(n) + slot * 0.12} width={Math.max(1, slot * 0.76)} y={y(value)} height={Math.max(0, y(0) - y(value))} className="report-column" />)
                : path(line.values, (n) => x(n) + slot / 2, y).map((d) => <path key={d} d={d} className="report-line" strokeDasharray={DASHES[index]} />)}
            </g>
          ))}
          {times.map((time, n) => n % every === 0 && <text key={time.start} x={x(n)} y={HEIGHT - 8} className="report-tick">{when(n)}</text>)}
          {cursor !== null && <rect x={x(at)} y={PAD.top} width={slot} height={inner.height} className="report-cursor" />}
        </svg>
      </div>
      <Text size="sm" mih={22} aria-hidden>{cursor === null ? '' : readOut(at)}</Text>
      <Group gap="4px 20px">
        {lines.length > 1 && lines.map((line, index) => (
          <Group key={line.name} gap={6} wrap="nowrap">
            <svg width={26} height={14} aria-hidden><g data-series={index}><path d="M 1 7 L 25 7" className="report-line" strokeDasharray={DASHES[index]} /></g></svg>
            <Text size="sm">{line.name}</Text>
          </Group>
        ))}
        {times.some((time) => time.down_ms > 0) && (
          <Group gap={6} wrap="nowrap">
            <svg width={26} height={14} aria-hidden><rect width={26} height={14} fill={`url(#${hatch})`} /></svg>
            <Text size="sm">{w.legendDown}</Text>
          </Group>
        )}
        {lines.length === LINES_MAX && <Text size="sm" c="dimmed">{w.others}</Text>}
      </Group>
    </Box>
  );
}
