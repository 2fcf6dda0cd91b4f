// Values, times and states of the trends in words.
import { clock, count } from '@shared/format';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bin } from '../api';
import type { Show, State } from './series';

export interface Formats {
  value: (value: number, show: Show) => string;
  tick: (value: number, show: Show) => string;
  /** From and until, in the reader's time. */
  stretch: (start: number) => string;
  tickTime: (start: number) => string;
  /** Empty where the label before is of the same day. */
  tickDay: (start: number, before: number | undefined) => string;
  state: (bin: Bin, state: State) => string;
}

export function useFormats(length_s: number): Formats {
  const { t, i18n } = useTranslation();
  return useMemo(() => {
    const language = i18n.language;
    const days = length_s >= 86_400;
    const time = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const day = new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric' });
    const weekday = new Intl.DateTimeFormat(language, { weekday: 'short', month: 'short', day: 'numeric' });
    const value = (n: number, show: Show) => (show === 'level' ? `${Math.round(n * 100)} %` : show === 'wait' ? clock(n * 1000) : count(n, language));
    return {
      value,
      tick: value,
      stretch: (start) => (days ? weekday.format(start) : `${day.format(start)}, ${time.format(start)}–${time.format(start + length_s * 1000)}`),
      tickTime: (start) => (days ? day.format(start) : time.format(start)),
      tickDay: (start, before) => (days || (before !== undefined && day.format(before) === day.format(start)) ? '' : day.format(start)),
      state: (bin, state) => t(`trends.state.${state}`, { arrived: count(bin.arrived, language), expected: count(bin.expected, language), count: bin.isolated + bin.late }),
    };
  }, [length_s, t, i18n.language]);
}
