// Figures over time: columns for one line, lines for several. What is not here is hatched and has no height. A cursor,
// moved by mouse or arrow keys, reads out one stretch of time.
import './trends.css';
import { Box, Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormats } from './formats';
import { type Line, type Show, stateOf, steps, valueOf } from './series';
import { path } from '@shared/line';

const HEIGHT = 280;
const PAD = { left: 52, right: 12, top: 12, bottom: 40 };
/** Room that a label of the time needs. */
const LABEL_WIDTH = 76;
/** Told apart without their colour as well. */
const DASHES = ['', '7 4', '2 4', '10 4 2 4', '14 4', '4 8', '1 6', '12 3 3 3'];

interface Props {
  lines: readonly Line[];
  show: Show;
  length_s: number;
  now: number;
  label: string;
}

export default function Chart({ lines, show, length_s, now, label }: Props) {
  const { t } = useTranslation();
  const formats = useFormats(length_s);
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [cursor, setCursor] = useState<number | null>(null);
  const hatch = useId();
  const first = lines[0]?.bins ?? [];
  const count = first.length;
  const values = lines.map((line) => line.bins.map((bin) => valueOf(bin, show, now)));
  const most = Math.max(show === 'level' ? 1 : 4, ...values.flat().map((value) => value ?? 0));
  const scale = show === 'level' ? [0, 0.25, 0.5, 0.75, 1] : steps(most);
  const top = scale.at(-1) ?? 1;
  const inner = { width: Math.max(0, width - PAD.left - PAD.right), height: HEIGHT - PAD.top - PAD.bottom };
  const slot = count > 0 ? inner.width / count : 0;
  const x = (n: number) => PAD.left + n * slot;
  const y = (value: number) => PAD.top + inner.height * (1 - value / top);
  // What is not here of any line is not here.
  const states = first.map((bin, n) => lines.map((line) => stateOf(line.bins[n] ?? bin, now)));
  const every = Math.max(1, Math.ceil(count / Math.max(1, Math.floor(inner.width / LABEL_WIDTH))));
  const at = cursor === null ? null : Math.min(cursor, count - 1);
  const move = (event: KeyboardEvent) => {
    const from = at ?? count - 1;
    const next = { ArrowLeft: from - 1, ArrowRight: from + 1, PageUp: from - 8, PageDown: from + 8, Home: 0, End: count - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setCursor(Math.min(count - 1, Math.max(0, next)));
  };
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const n = Math.floor((event.clientX - box.left - PAD.left) / slot);
    setCursor(n >= 0 && n < count ? n : null);
  };
  const readOut = (n: number) => {
    const bin = first[n];
    if (!bin) return '';
    const said = lines.map((line) => {
      const own = line.bins[n] ?? bin;
      const value = valueOf(own, show, now);
      const state = stateOf(own, now);
      const words = [value === null ? null : formats.value(value, show), state === 'whole' ? null : formats.state(own, state)].filter(Boolean).join(', ');
      return line.name === null ? words : `${line.name}: ${words}`;
    });
    return `${formats.stretch(bin.start)} · ${said.join(' · ')}`;
  };
  return (
    <Box ref={ref}>
      <div
        className="trend"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, count - 1)}
        aria-valuenow={at ?? Math.max(0, count - 1)}
        aria-valuetext={readOut(at ?? count - 1)}
        onKeyDown={move}
      >
        <svg width={width} height={HEIGHT} aria-hidden onPointerMove={point} onPointerLeave={() => setCursor(null)}>
          <defs>
            <pattern id={hatch} width={7} height={7} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <rect width={7} height={7} className="trend-hatch-ground" />
              <line x1={0} y1={0} x2={0} y2={7} className="trend-hatch-line" />
            </pattern>
          </defs>
          {scale.map((value) => (
            <g key={value}>
              <line x1={PAD.left} x2={PAD.left + inner.width} y1={y(value)} y2={y(value)} className="trend-grid" />
              <text x={PAD.left - 8} y={y(value)} dy="0.32em" textAnchor="end" className="trend-tick">{formats.tick(value, show)}</text>
            </g>
          ))}
          {states.map((each, n) => {
            const missing = each.some((state) => state === 'missing');
            const part = each.some((state) => state === 'part');
            const late = each.some((state) => state === 'late');
            return (
              <g key={first[n]?.start}>
                {(missing || part) && <rect x={x(n)} y={PAD.top} width={slot} height={inner.height} fill={`url(#${hatch})`} opacity={missing ? 1 : 0.55} />}
                {late && <rect x={x(n)} y={PAD.top + inner.height + 1} width={slot} height={4} className="trend-late" />}
              </g>
            );
          })}
          {values.map((own, index) => (
            <g key={lines[index]?.name ?? ''} data-series={index}>
              {lines.length === 1
                ? own.map((value, n) => value !== null && <rect key={first[n]?.start} x={x(n) + slot * 0.14} width={slot * 0.72} y={y(value)} height={Math.max(0, y(0) - y(value))} className="trend-column" />)
                : path(own, (n) => x(n) + slot / 2, y).map((d) => <path key={d} d={d} className="trend-line" strokeDasharray={DASHES[index]} />)}
              {lines[index]?.bins.map((bin, n) => stateOf(bin, now) === 'small' && <circle key={bin.start} cx={x(n) + slot / 2} cy={y(0) - 5 - index * 2} r={Math.min(3, slot / 3)} className="trend-small" />)}
            </g>
          ))}
          {first.map((bin, n) => n % every === 0 && (
            <text key={bin.start} x={x(n)} y={HEIGHT - 22} className="trend-tick">
              <tspan>{formats.tickTime(bin.start)}</tspan>
              {formats.tickDay(bin.start, first[n - every]?.start) !== '' && <tspan x={x(n)} dy={14}>{formats.tickDay(bin.start, first[n - every]?.start)}</tspan>}
            </text>
          ))}
          {at !== null && <rect x={x(at)} y={PAD.top} width={slot} height={inner.height} className="trend-cursor" />}
        </svg>
      </div>
      <Text size="sm" mih={22} aria-hidden>{at === null ? t('trends.point') : readOut(at)}</Text>
      <Legend lines={lines} hatch={hatch} />
    </Box>
  );
}

function Legend({ lines, hatch }: { lines: readonly Line[]; hatch: string }) {
  const { t } = useTranslation();
  const mark = (body: ReactNode, words: string) => (
    <Group key={words} gap={6} wrap="nowrap">
      <svg width={26} height={14} aria-hidden style={{ flex: 'none' }}>{body}</svg>
      <Text size="sm">{words}</Text>
    </Group>
  );
  return (
    <Group gap="4px 20px" mt={6}>
      {lines.length > 1 && lines.map((line, index) => (
        mark(<g data-series={index}><path d="M 1 7 L 25 7" className="trend-line" strokeDasharray={DASHES[index]} /></g>, line.name ?? '')
      ))}
      {mark(<rect width={26} height={14} fill={`url(#${hatch})`} />, t('trends.legend.missing'))}
      {mark(<rect y={5} width={26} height={4} className="trend-late" />, t('trends.legend.late'))}
      {mark(<circle cx={13} cy={7} r={3} className="trend-small" />, t('trends.legend.small'))}
    </Group>
  );
}
