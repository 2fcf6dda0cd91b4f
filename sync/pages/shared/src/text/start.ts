// Starts the words of a page in the language its reader chose, or else the browser's.
import i18next, { type Resource } from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LANGUAGES = [
  { code: 'en', name: 'English' },
  { code: 'zh', name: '简体中文' },
] as const;
export type Language = (typeof LANGUAGES)[number]['code'];

const KEPT = 'branchline.language';

function first(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.languages.some((l) => l.toLowerCase().startsWith('zh')) && !navigator.language.startsWith('en')
    ? 'zh'
    : 'en';
}

function mark(language: string) {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
}

type Catalogue = Resource[string][string];
let load: (language: Language) => Promise<Catalogue>;

/** Loads the one language that is needed; the other comes when somebody asks for it. */
export async function startText(catalogue: (language: Language) => Promise<Catalogue>) {
  load = catalogue;
  const language = first();
  mark(language);
  const words = await load(language);
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    resources: { [language]: { translation: words } },
    // React escapes.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
}

export async function speak(language: Language) {
  localStorage.setItem(KEPT, language);
  if (!i18next.hasResourceBundle(language, 'translation'))
    i18next.addResourceBundle(language, 'translation', await load(language));
  mark(language);
  await i18next.changeLanguage(language);
}
