import { type FormEvent, type ReactNode, useId, useState } from 'react';
import type { Judged, QuestionText } from '../protocol.js';
import { usePart, useReader, useWords } from './context.js';
import { useHide } from './hidden.js';
import { Markdown } from './markdown.js';

interface Props {
  readonly question: QuestionText;
  /** Index. */
  readonly passage: number;
  readonly number: number;
}

/** A question, whose answer the machine judges. */
export function Question({ question, passage, number }: Props): ReactNode {
  const reader = useReader();
  const words = useWords();
  const scene = usePart('scene');
  const moments = usePart('moments');
  const [typed, setTyped] = useState('');
  const [judged, setJudged] = useState<Judged>();
  const [revealed, setRevealed] = useState(false);
  const id = useId();
  const hint = words.hints[question.kind];
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setJudged(await reader.answer(passage, number, typed));
  };
  const change = (text: string): void => {
    setTyped(text);
    setJudged(undefined);
  };
  const isRight = judged?.verdict === 'right';
  // What the next instruction changes would be the answer, or half of it.
  const isAboutNext = question.kind === 'register' || question.kind === 'slot';
  const hides = isAboutNext && scene?.view.moment === moments[passage] && !isRight && !revealed;
  useHide(hides);
  return (
    <form className="question" onSubmit={submit} aria-label={words.question}>
      <div id={`${id}-prompt`}>
        <Markdown text={question.prompt} />
      </div>
      {question.kind === 'choice' ? (
        <fieldset aria-labelledby={`${id}-prompt`}>
          {question.options.map((option, index) => (
            <label key={option}>
              <input
                type="radio"
                name={id}
                value={index + 1}
                checked={typed === String(index + 1)}
                onChange={() => change(String(index + 1))}
              />
              <span>
                <Markdown text={option} inline />
              </span>
            </label>
          ))}
        </fieldset>
      ) : (
        <>
          {question.kind === 'output' ? (
            <textarea
              rows={3}
              value={typed}
              aria-labelledby={`${id}-prompt`}
              aria-describedby={`${id}-hint`}
              onChange={({ target }) => change(target.value)}
            />
          ) : (
            <input
              type="text"
              value={typed}
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              aria-labelledby={`${id}-prompt`}
              aria-describedby={`${id}-hint`}
              onChange={({ target }) => change(target.value)}
            />
          )}
          <small id={`${id}-hint`}>
            {hint}
            {hides && (
              <>
                <br />
                {words.hiddenUntilAnswered}
              </>
            )}
          </small>
        </>
      )}
      <button type="submit" disabled={typed === '' || scene === undefined}>
        {words.check}
      </button>
      <div className="verdict" aria-live="polite">
        {judged !== undefined && (
          <p className={judged.verdict}>
            <span aria-hidden="true">{isRight ? '✓ ' : '✗ '}</span>
            {words[judged.verdict]}{' '}
            {!isRight && !revealed && (
              <button type="button" className="link" onClick={() => setRevealed(true)}>
                {words.reveal}
              </button>
            )}
          </p>
        )}
        {revealed && judged !== undefined && !isRight && (
          <p>
            {words.itIs}{' '}
            {question.kind === 'choice' ? (
              <Markdown text={question.options[Number(judged.right) - 1]} inline />
            ) : (
              <code className="machine">{judged.right}</code>
            )}
          </p>
        )}
        {(isRight || revealed) && (
          <div className="why">
            <Markdown text={question.explanation} />
          </div>
        )}
      </div>
    </form>
  );
}
