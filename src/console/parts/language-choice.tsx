import { chooseLanguage, language, say } from '../text.js';

/** Changes the language; named in the language that it leads to. */
export function LanguageChoice() {
  const other = language.value === 'en' ? 'ru' : 'en';
  return (
    <button type="button" class="link" lang={other} onClick={() => chooseLanguage(other)}>
      {say('language.other')}
    </button>
  );
}
