import { type ReactNode, useState } from 'react';
import { LANGUAGES } from '../../lesson/lesson.js';
import { storedTheme, storeTheme, THEMES } from '../settings.js';
import { usePart, usePlaces, usePlayer, useReader, useReading, useStore, useWords } from './context.js';

const LANGUAGE_NAMES = { en: 'English', zh: '中文' } as const;

/** Where one is, in which language and colours. */
export function Header(): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const places = usePlaces();
  const place = useStore(places, 'place');
  const language = usePart('language');
  const [theme, setTheme] = useState(storedTheme);
  return (
    <header className="top">
      <button type="button" className="skip" onClick={() => document.getElementById('controls')?.focus()}>
        {words.skip}
      </button>
      <strong className="name">millscope</strong>
      <nav className="places" aria-label={words.places}>
        {(['lessons', 'playground'] as const).map((one) => (
          <button
            key={one}
            type="button"
            aria-current={one === place ? 'page' : undefined}
            onClick={() => void places.go(one)}
          >
            {words[one]}
          </button>
        ))}
      </nav>
      {place === 'lessons' && <ChooseLesson />}
      <span className="room" />
      <label>
        <span className="unseen">{words.language}</span>
        <select
          value={language}
          onChange={({ target }) => player.speak(LANGUAGES.find((one) => one === target.value) ?? 'en')}
        >
          {LANGUAGES.map((one) => (
            <option key={one} value={one} lang={one}>
              {LANGUAGE_NAMES[one]}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span className="unseen">{words.theme}</span>
        <select
          value={theme}
          onChange={({ target }) => {
            const chosen = THEMES.find((one) => one === target.value) ?? 'system';
            storeTheme(chosen);
            setTheme(chosen);
          }}
        >
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {words.themes[one]}
            </option>
          ))}
        </select>
      </label>
    </header>
  );
}

function ChooseLesson(): ReactNode {
  const reader = useReader();
  const words = useWords();
  const contents = useReading('contents');
  const lesson = useReading('lesson');
  const language = usePart('language');
  return (
    <label className="choose-lesson">
      <span className="unseen">{words.lesson}</span>
      <select value={lesson?.name ?? ''} onChange={({ target }) => void reader.openLesson(target.value)}>
        {lesson === undefined && <option value="">…</option>}
        {contents.map(({ name, titles }, index) => (
          <option key={name} value={name}>
            {index + 1}. {titles[language]}
          </option>
        ))}
      </select>
    </label>
  );
}
