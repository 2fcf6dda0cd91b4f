// The trend as a chart: callers offered and answered, with what is still to come shaded.
import 'uplot/dist/uPlot.min.css';
import { Box, useComputedColorScheme, useMantineTheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import type { Point } from './sums';

const HEIGHT = 260;

export default function Chart({ points, length_s, label }: { points: readonly Point[]; length_s: number; label: string }) {
  const { t, i18n } = useTranslation();
  const theme = useMantineTheme();
  const dark = useComputedColorScheme('light') === 'dark';
  const { ref, width } = useElementSize<HTMLDivElement>();
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!holder.current || width === 0) return;
    const ink = dark ? '#a3adba' : '#55606e';
    const grid = dark ? '#2b323e' : '#e8ecef';
    const shade = dark ? 'rgba(245, 190, 60, 0.13)' : 'rgba(240, 170, 20, 0.14)';
    const offered = dark ? '#7f8a99' : '#9aa5b1';
    const answered = theme.colors.pine?.[dark ? 5 : 7] ?? '#0f766e';
    const time = new Intl.DateTimeFormat(i18n.language, length_s >= 86_400 ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const date = new Intl.DateTimeFormat(i18n.language, { month: 'short', day: 'numeric' });
    const value = (get: (p: Point) => number | undefined) => points.map((p) => get(p) ?? null);
    const bars = uPlot.paths.bars?.({ size: [0.72, 34], align: 1 });
    const chart = new uPlot(
      {
        width,
        height: HEIGHT,
        padding: [12, 26, 0, 0],
        cursor: { points: { show: false }, drag: { x: false, y: false } },
        legend: { live: true },
        scales: { x: { range: (_, min, max) => [min, max + length_s] }, y: { range: (_, __, max) => [0, Math.max(4, max * 1.12)] } },
        axes: [
          {
            stroke: ink,
            grid: { show: false },
            ticks: { stroke: grid },
            font: '12px system-ui, sans-serif',
            values: (_, splits) => splits.map((s, n) => {
              const day = date.format(s * 1000);
              const before = splits[n - 1];
              const turned = before === undefined || date.format(before * 1000) !== day;
              return length_s >= 86_400 ? day : turned ? `${time.format(s * 1000)}\n${day}` : time.format(s * 1000);
            }),
            size: 46,
          },
          { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: '12px system-ui, sans-serif', size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
        ],
        series: [
          { label: t('audit.when'), value: (_, s) => (s === null ? '' : `${date.format(s * 1000)} ${time.format(s * 1000)}`) },
          { label: t('figures.offered'), stroke: offered, fill: offered, paths: bars, points: { show: false }, value: (u, v) => v ?? (u.cursor.idx == null ? '' : '–') },
          { label: t('figures.answered'), stroke: answered, fill: answered, paths: bars, points: { show: false }, value: (u, v) => v ?? (u.cursor.idx == null ? '' : '–') },
        ],
        hooks: {
          drawClear: [
            (u) => {
              const { ctx, bbox } = u;
              ctx.save();
              ctx.fillStyle = shade;
              for (const point of points) {
                if (point.complete) continue;
                const from = u.valToPos(point.at / 1000, 'x', true);
                const to = u.valToPos(point.at / 1000 + length_s, 'x', true);
                ctx.fillRect(Math.max(from, bbox.left), bbox.top, Math.min(to, bbox.left + bbox.width) - Math.max(from, bbox.left), bbox.height);
              }
              ctx.restore();
            },
          ],
        },
      },
      [points.map((p) => p.at / 1000), value((p) => p.figures?.offered), value((p) => p.figures?.answered)],
      holder.current,
    );
    return () => chart.destroy();
  }, [points, width, dark, length_s, theme, t, i18n.language]);
  return (
    <Box ref={ref}>
      <div ref={holder} role="img" aria-label={label} className="chart" />
    </Box>
  );
}
