import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Riddle } from '../playground.js';
import { useDraft, usePlayground, useWords } from './context.js';

/** What is broken? */
export function RiddlePanel(): ReactNode {
  const riddle = useDraft('riddle');
  return riddle !== undefined && <Asked key={riddle.explanation} riddle={riddle} />;
}

function Asked({ riddle }: { readonly riddle: Riddle }): ReactNode {
  const playground = usePlayground();
  const words = useWords();
  const isBuilding = useDraft('isBuilding');
  const [chosen, setChosen] = useState<number>();
  const id = useId();
  const box = useRef<HTMLElement>(null);
  useEffect(() => box.current?.focus(), []);
  const { choices, right, said, explanation } = riddle;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    playground.answer(chosen);
  };
  return (
    <section className="panel riddle" aria-labelledby={`${id}-title`} ref={box} tabIndex={-1}>
      <h2 id={`${id}-title`}>{words.whatIsBroken}</h2>
      {said === undefined && <p>{words.riddle}</p>}
      <form onSubmit={submit}>
        <fieldset disabled={said !== undefined}>
          <legend className="unseen">{words.whatIsBroken}</legend>
          {choices.map((choice, index) => (
            <label
              key={choice}
              className={said === undefined ? '' : index === right ? 'right' : said === index ? 'wrong' : ''}
            >
              <input
                type="radio"
                name={id}
                value={index}
                checked={chosen === index}
                onChange={() => setChosen(index)}
              />
              <span>
                {said !== undefined && (index === right ? '✓ ' : said === index ? '✗ ' : '')}
                {choice}
              </span>
            </label>
          ))}
        </fieldset>
        <p className="told" aria-live="polite">
          {said !== undefined && (
            <>
              <strong className={said === right ? 'right' : 'wrong'}>
                {said === right ? `✓ ${words.right}` : said === 'nothing' ? words.soItIs : `✗ ${words.predictedWrong}`}
              </strong>{' '}
              {explanation}
            </>
          )}
        </p>
        <div className="buttons">
          {said === undefined ? (
            <>
              <button type="submit" className="primary" disabled={chosen === undefined || isBuilding}>
                {words.check}
              </button>
              <button type="button" onClick={() => playground.answer('nothing')}>
                {words.giveUp}
              </button>
            </>
          ) : (
            <button type="button" className="primary" onClick={() => void playground.breakIt()}>
              {words.anotherOne}
            </button>
          )}
          <button type="button" onClick={() => void playground.mend()}>
            {words.mend}
          </button>
        </div>
      </form>
    </section>
  );
}
