import { computed, signal } from '@preact/signals';
import { TEXTS, type TextKey } from './texts/texts.js';

const LANGUAGES = ['en', 'ru'] as const;
type Language = (typeof LANGUAGES)[number];
export type { TextKey };
export type Values = Record<string, string | number>;

const KEPT_AS = 'account-manager-language';

const isLanguage = (given: string | null | undefined): given is Language =>
  LANGUAGES.some((language) => language === given);

const first = (): Language => {
  const kept = localStorage.getItem(KEPT_AS);
  if (isLanguage(kept)) return kept;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith('ru')) ? 'ru' : 'en';
};

export const language = signal<Language>(first());

export function chooseLanguage(given: Language): void {
  localStorage.setItem(KEPT_AS, given);
  language.value = given;
}

const plurals = computed(() => new Intl.PluralRules(language.value));
const FORMS: Record<Language, readonly string[]> = { en: ['one', 'other'], ru: ['one', 'few', 'many'] };

/** The text of a key in the reader's language. `{name}` is replaced by a value, `{name:a|b}` by the form for its number. */
export function say(key: TextKey, values: Values = {}): string {
  const text = TEXTS[key][language.value === 'ru' ? 1 : 0];
  return text.replaceAll(/\{(\w+)(?::([^}]*))?\}/g, (_, name: string, forms?: string) => {
    const value = values[name] ?? '';
    if (forms === undefined) return typeof value === 'number' ? numberText(value) : value;
    const choices = forms.split('|');
    const at = FORMS[language.value].indexOf(plurals.value.select(Number(value)));
    return choices[at === -1 ? choices.length - 1 : at] ?? '';
  });
}

const numbers = computed(() => new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }));
export const numberText = (value: number): string => numbers.value.format(value);

/** A text whose key is put together, such as `status.active`; where there is none, the bare name. */
export const sayName = (group: string, name: string): string => {
  const key = `${group}.${name}`;
  return key in TEXTS ? say(key as TextKey) : name.replaceAll('_', ' ');
};
