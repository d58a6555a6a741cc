import { LANGUAGES, type Language } from '../lesson/lesson.js';

/** Colours: those of the system, or one of two. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const LANGUAGE = 'millscope.language';
const THEME = 'millscope.theme';
const KEYS = 'millscope.keys';

/** The language that was chosen last, else the browser's, else English. */
export function storedLanguage(): Language {
  const kept = read(LANGUAGE);
  const own = navigator.languages.map((one) => one.split('-')[0]);
  return [kept, ...own, 'en'].flatMap((name) => LANGUAGES.filter((one) => one === name))[0];
}

export function storeLanguage(language: Language): void {
  write(LANGUAGE, language);
}

export function storedTheme(): Theme {
  return THEMES.find((one) => one === read(THEME)) ?? 'system';
}

/** Keeps the choice, and makes it so. */
export function storeTheme(theme: Theme): void {
  write(THEME, theme);
  document.documentElement.dataset.theme = theme;
}

/** Whether single keys move the machine; they can be in the way of speech input. */
export function keysAreOn(): boolean {
  return read(KEYS) !== 'off';
}

export function switchKeys(on: boolean): void {
  write(KEYS, on ? 'on' : 'off');
}

/** Where storing is forbidden, the page works all the same. */
function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // See above.
  }
}
