import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Verdict } from '../../lesson/answer.js';
import { hex } from '../../names.js';
import type { Scene } from '../../view/scene.js';
import { type Change, changesOf, judgeGuess, type Target, targetKey, targetsOf } from '../prediction.js';
import type { Words } from '../words.js';
import { usePlayer, useWords } from './context.js';

interface Result {
  readonly moment: number;
  readonly verdict: Verdict;
  readonly changes: readonly Change[];
}

function nameOf(target: Target, words: Words): string {
  switch (target.kind) {
    case 'nothing':
      return words.changesNothing;
    case 'register':
      return target.name;
    case 'slot':
      return `${words.slot} ${target.index} ${target.name}, ${words.coroutine(target.coroutine)}`;
    case 'stack':
      return words.stack;
  }
}

/** Asks what the next instruction changes, and steps over it to see. */
export function Predict({ scene }: { readonly scene: Scene }): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const [chosen, setChosen] = useState('nothing');
  const [typed, setTyped] = useState('');
  const [result, setResult] = useState<Result>();
  const [score, setScore] = useState({ right: 0, of: 0 });
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  // It stands above the machine, where the page may have been scrolled away from.
  useEffect(() => {
    form.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  const targets = targetsOf(scene);
  const target = targets.find((one) => targetKey(one) === chosen) ?? targets[0];
  const { next } = scene.view.code;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const verdict = judgeGuess(scene, target, typed);
    setResult({ moment: scene.view.moment, verdict, changes: changesOf(scene) });
    if (verdict === 'unreadable') return;
    setScore(({ right, of }) => ({ right: right + (verdict === 'right' ? 1 : 0), of: of + 1 }));
    setTyped('');
    player.move({ kind: 'step', count: 1 });
  };
  const told =
    result !== undefined && [result.moment, result.moment + 1].includes(scene.view.moment) ? result : undefined;
  return (
    <form className="panel predict" ref={form} onSubmit={submit} aria-label={words.predict}>
      <p>
        {words.predictOn} <code>{next?.text}</code>
      </p>
      <div className="guess">
        <label htmlFor={`${id}-what`}>{words.changesWhat}</label>
        <select id={`${id}-what`} value={chosen} onChange={({ target: { value } }) => setChosen(value)}>
          {targets.map((one) => (
            <option key={targetKey(one)} value={targetKey(one)}>
              {nameOf(one, words)}
            </option>
          ))}
        </select>
        {target.kind !== 'nothing' && (
          <>
            <label htmlFor={`${id}-value`}>{words.toWhat}</label>
            <input
              id={`${id}-value`}
              type="text"
              value={typed}
              autoComplete="off"
              spellCheck={false}
              placeholder={words.hints.register}
              onChange={({ target: { value } }) => setTyped(value)}
            />
          </>
        )}
        <button type="submit" disabled={scene.ending !== undefined}>
          {words.check}
        </button>
        <span className="score">{score.of > 0 && `${score.right} / ${score.of}`}</span>
      </div>
      <p className="verdict" aria-live="polite">
        {told !== undefined && <Told result={told} />}
      </p>
    </form>
  );
}

function Told({ result: { verdict, changes } }: { readonly result: Result }): ReactNode {
  const words = useWords();
  if (verdict === 'unreadable') return words.unreadable;
  const what = changes.map(({ target, value }) => words.itChanges(nameOf(target, words), hex(value))).join(' ');
  return (
    <>
      <strong className={verdict}>
        {verdict === 'right' ? `✓ ${words.predictedRight}` : `✗ ${words.predictedWrong}`}
      </strong>{' '}
      {changes.length === 0 ? words.itChangesNothing : what}
    </>
  );
}
