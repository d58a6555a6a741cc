import { memo, type ReactNode } from 'react';
import type { LessonPage } from '../protocol.js';
import { usePart, useReader, useReading, useWords } from './context.js';
import { Markdown } from './markdown.js';
import { Question } from './question.js';

/** The text that goes with the moment. */
export const LessonText = memo(function LessonText({ lesson }: { readonly lesson: LessonPage }): ReactNode {
  const reader = useReader();
  const words = useWords();
  const language = usePart('language');
  const index = usePart('passage');
  const contents = useReading('contents');
  const { title, introduction, passages } = lesson.texts[language];
  const passage = passages[index] ?? passages[0];
  const next = contents[contents.findIndex(({ name }) => name === lesson.name) + 1];
  const isLast = index === passages.length - 1;
  return (
    <article className="lesson" aria-label={title}>
      <h1>{title}</h1>
      {index === 0 && introduction !== '' && (
        <div className="introduction">
          <Markdown text={introduction} />
        </div>
      )}
      <div className="passage" aria-live="polite">
        <Markdown text={passage.markdown} />
      </div>
      {passage.questions.map((question, number) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: questions have no other name
        <Question key={`${lesson.name} ${index} ${number}`} question={question} passage={index} number={number} />
      ))}
      <nav className="passages" aria-label={words.passages}>
        <button type="button" disabled={index === 0} onClick={() => void reader.toPassage(index - 1)}>
          {words.previousPassage}
        </button>
        <span className="where">{words.passage(index + 1, passages.length)}</span>
        {isLast && next !== undefined ? (
          <button type="button" className="primary" onClick={() => void reader.openLesson(next.name)}>
            {words.nextLesson}
          </button>
        ) : (
          <button type="button" className="primary" disabled={isLast} onClick={() => void reader.toPassage(index + 1)}>
            {isLast ? words.lastLesson : words.nextPassage}
          </button>
        )}
      </nav>
    </article>
  );
});
