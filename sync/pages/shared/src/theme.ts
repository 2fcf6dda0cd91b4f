// One restrained look for both pages: a neutral ground, one accent, and a colour for each state of work.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const pine: MantineColorsTuple = [
  '#eefaf8', '#dcf1ed', '#b4e3da', '#89d4c6', '#66c7b5', '#4cbca8', '#2fa492', '#0f766e', '#0c655e', '#064f4a',
];

const ink: MantineColorsTuple = [
  '#d3d8df', '#b8bfca', '#98a2b0', '#6b7585', '#333b48', '#2a313d', '#1c222c', '#161b23', '#11151b', '#0c0f14',
];

export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: { light: 7, dark: 7 },
  colors: { pine, dark: ink },
  autoContrast: true,
  luminanceThreshold: 0.34,
  defaultRadius: 'md',
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono", monospace',
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  components: {
    Card: { defaultProps: { withBorder: true, radius: 'lg', padding: 'lg' } },
    Button: { defaultProps: { radius: 'md' } },
    // Mantine's own placeholder is no legal child of a menu.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: { defaultProps: { radius: 'lg', centered: true } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
    Table: { defaultProps: { verticalSpacing: 'sm', horizontalSpacing: 'md' } },
  },
});

/** Words in the colour of a state, on white and on the pale ground of that colour: 4.5 to 1 at least. */
const WORDS = { green: '#1d6b30', yellow: '#7a4d00', orange: '#a33a00', red: '#a81818', blue: '#1560a8', violet: '#5a3bb5', gray: '#49525e' };

const WORDS_DARK = { green: '#7dd896', yellow: '#f2c14e', orange: '#ffab6b', red: '#ff8f8f', blue: '#7cbcf5', violet: '#b9a4f7', gray: '#b8bfca', pine: '#66c7b5' };

function words(colors: Record<string, string>): Record<string, string> {
  const named = Object.entries(colors).flatMap(([name, color]) => [
    [`--mantine-color-${name}-text`, color],
    [`--mantine-color-${name}-light-color`, color],
  ]);
  return Object.fromEntries(named) as Record<string, string>;
}

/** In the dark the ground of a state is a breath of its colour. */
function grounds(colors: Record<string, string>): Record<string, string> {
  const named = Object.entries(colors).flatMap(([name, color]) => [
    [`--mantine-color-${name}-light`, `color-mix(in srgb, ${color} 13%, transparent)`],
    [`--mantine-color-${name}-light-hover`, `color-mix(in srgb, ${color} 20%, transparent)`],
  ]);
  return Object.fromEntries(named) as Record<string, string>;
}

/** Red buttons, dark enough for white words. */
const STOP = { '--mantine-color-red-filled': '#c92a2a', '--mantine-color-red-filled-hover': '#b02525' };

/** The ground lies a little deeper than the cards on it; quiet text keeps 4.5 to 1 on both. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...words(WORDS),
    ...STOP,
    '--mantine-color-error': WORDS.red,
    '--mantine-color-body': '#ffffff',
    '--page-ground': '#f5f7f8',
    '--mantine-color-dimmed': '#55606e',
    '--mantine-color-placeholder': '#6b7684',
    '--mantine-color-default-border': '#dfe4e8',
  },
  dark: {
    ...words(WORDS_DARK),
    ...grounds(WORDS_DARK),
    ...STOP,
    '--mantine-color-body': '#1c222c',
    '--page-ground': '#12161c',
    '--mantine-color-error': WORDS_DARK.red,
    '--mantine-color-dimmed': '#a3adba',
    '--mantine-color-placeholder': '#98a2b0',
    '--mantine-color-default-border': '#323a46',
    '--mantine-primary-color-light': 'color-mix(in srgb, #66c7b5 13%, transparent)',
    '--mantine-primary-color-light-hover': 'color-mix(in srgb, #66c7b5 20%, transparent)',
    '--mantine-primary-color-light-color': WORDS_DARK.pine,
  },
});
