// The console's words together with the shared ones, each language by itself. `t` knows every key.
import type { en as sharedEn } from '@shared/text/en';
import type { Language } from '@shared/text/start';
import type { en as consoleEn } from './en';

export async function words(language: Language) {
  const [shared, own] = await (language === 'zh'
    ? Promise.all([import('@shared/text/zh').then((m) => m.zh), import('./zh').then((m) => m.zh)])
    : Promise.all([import('@shared/text/en').then((m) => m.en), import('./en').then((m) => m.en)]));
  return { ...shared, ...own };
}

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof sharedEn & typeof consoleEn };
  }
}
