import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { usePart } from '../../parts/context.js';
import { joinWords, splitWords } from '../arguments.js';
import { useDraft, usePlayground, useWords } from './context.js';
import { Share } from './share.js';

/** Which program, how it is run, and what can be done with it as a whole. */
export function Toolbar(): ReactNode {
  const playground = usePlayground();
  const words = useWords();
  const language = usePart('language');
  const contents = useDraft('contents');
  const name = useDraft('name');
  const isOwn = useDraft('isOwn');
  const isBuilding = useDraft('isBuilding');
  const riddle = useDraft('riddle');
  const picker = useRef<HTMLInputElement>(null);
  return (
    <div className="toolbar">
      <label className="choose-program">
        <span className="unseen">{words.program}</span>
        <select value={name ?? ''} onChange={({ target }) => void playground.openShipped(target.value)}>
          {name === undefined && <option value="">{isOwn ? words.ownProgram : words.linkedProgram}</option>}
          {contents.map((one) => (
            <option key={one.name} value={one.name}>
              {one.titles[language]}
            </option>
          ))}
        </select>
      </label>
      <button type="button" onClick={() => picker.current?.click()}>
        {words.openFile}
      </button>
      <input
        ref={picker}
        type="file"
        className="unseen"
        tabIndex={-1}
        aria-hidden="true"
        multiple
        accept=".o,.s,.inc,.c,.h"
        onChange={({ target }) => {
          const files = [...(target.files ?? [])];
          // So that the same file can be chosen again.
          target.value = '';
          if (files.length > 0) void playground.openFiles(files);
        }}
      />
      <button type="button" disabled={isBuilding || riddle !== undefined} onClick={() => void playground.breakIt()}>
        {words.breakIt}
      </button>
      <Share />
      <Options />
      {isOwn && <p className="hint">{words.staysHere}</p>}
    </div>
  );
}

/** What the program is told. */
function Options(): ReactNode {
  const playground = usePlayground();
  const words = useWords();
  const run = useDraft('run');
  const [typed, setTyped] = useState('');
  const [seed, setSeed] = useState('');
  useEffect(() => setTyped(joinWords(run.arguments)), [run.arguments]);
  useEffect(() => setSeed(String(run.seed)), [run.seed]);
  const isNumber = /^\d{1,20}$/.test(seed.trim());
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    playground.runWith(splitWords(typed), isNumber ? BigInt(seed.trim()) : run.seed);
  };
  return (
    <details className="options">
      <summary>{words.runWith}</summary>
      <form onSubmit={submit}>
        <label>
          {words.arguments}
          <input
            type="text"
            value={typed}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            onChange={({ target }) => setTyped(target.value)}
          />
        </label>
        <label>
          {words.seed}
          <input
            type="text"
            inputMode="numeric"
            value={seed}
            autoComplete="off"
            aria-invalid={!isNumber}
            onChange={({ target }) => setSeed(target.value)}
          />
        </label>
        <button type="submit">{words.runNow}</button>
      </form>
    </details>
  );
}
