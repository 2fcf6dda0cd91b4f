// One restrained look for both pages: a neutral ground, one accent, and a colour for each state of work.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

const pine: MantineColorsTuple = [
  '#eefaf8', '#dcf1ed', '#b4e3da', '#89d4c6', '#66c7b5', '#4cbca8', '#2fa492', '#0f766e', '#0c655e', '#064f4a',
];

const ink: MantineColorsTuple = [
  '#c9ced6', '#b3bac5', '#8c95a4', '#687283', '#475062', '#363e4d', '#262d39', '#1a202a', '#131821', '#0d1118',
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
    Modal: { defaultProps: { radius: 'lg', centered: true } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300 } },
    Table: { defaultProps: { verticalSpacing: 'sm', horizontalSpacing: 'md' } },
  },
});

/** The ground lies a little deeper than the cards on it; quiet text keeps 4.5 to 1 on both. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--page-ground': '#f5f7f8',
    '--mantine-color-dimmed': '#55606e',
    '--mantine-color-placeholder': '#6b7684',
    '--mantine-color-default-border': '#dfe4e8',
  },
  dark: {
    '--mantine-color-body': '#1a202a',
    '--page-ground': '#12161d',
    '--mantine-color-dimmed': '#a3adba',
    '--mantine-color-placeholder': '#8c95a4',
    '--mantine-color-default-border': '#303846',
  },
});
