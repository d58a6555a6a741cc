import { type ReactNode, useEffect, useRef, useState } from 'react';
import { usePart } from '../../parts/context.js';
import type { Problem } from '../../workshop/protocol.js';
import { isSwitch, switchOf, type Tab, tabsOf } from '../draft.js';
import { Editor } from '../editor/editor.js';
import type { Draft } from '../playground.js';
import { useDraft, usePlayground, useWords } from './context.js';

/** All that is wrong, with the text or with what it does. */
function wrongIn({ problems, measured }: Pick<Draft, 'problems' | 'measured'>): readonly Problem[] {
  return problems.length > 0 ? problems : (measured?.wrong ?? []);
}

/** The program's files and the switch, to be edited. */
export function Files(): ReactNode {
  const playground = usePlayground();
  const words = useWords();
  const run = useDraft('run');
  const opened = useDraft('opened');
  const shipped = useDraft('shipped');
  const shown = useDraft('tab');
  const riddle = useDraft('riddle');
  const wrong = wrongIn({ problems: useDraft('problems'), measured: useDraft('measured') });
  const isAsked = riddle !== undefined && riddle.said === undefined;
  const tabs = tabsOf(riddle === undefined ? run : { ...run, runtime: riddle.runtime }, opened, shipped);
  const tab = tabs.find(({ name }) => name === shown) ?? tabs[0];
  const objects = run.files.filter((file) => 'bytes' in file);
  const [goal, setGoal] = useState<Problem>();
  if (tab === undefined) return <section className="panel files" />;
  const go = (problem: Problem): void => {
    playground.show(problem.file);
    // Another object each time, since the same problem may be gone to twice.
    setGoal({ ...problem });
  };
  return (
    <section className="panel files" aria-label={words.editor} id="pane-editor" tabIndex={-1}>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for what is filled in */}
      <div className="tabs" role="group" aria-label={words.files}>
        {tabs.map((one) => {
          const count = wrong.filter(({ file }) => file === one.name).length;
          const isEdited = one.isEdited && !(isAsked && one.isRuntime);
          return (
            <button
              key={one.name}
              type="button"
              className={one.isRuntime ? 'tab of-runtime' : 'tab'}
              aria-pressed={one === tab}
              onClick={() => {
                setGoal(undefined);
                playground.show(one.name);
              }}
            >
              {one.name}
              {isEdited && (
                <span className="edited">
                  <span aria-hidden="true">•</span>
                  <span className="unseen">{words.isEdited}</span>
                </span>
              )}
              {count > 0 && (
                <span className="count">
                  ✗ {count} <span className="unseen">{words.problems}</span>
                </span>
              )}
            </button>
          );
        })}
        {objects.map(({ name, bytes }) => (
          <span key={name} className="object">
            {name} <small>{words.bytes(bytes.length.toLocaleString())}</small>
          </span>
        ))}
      </div>
      <Text tab={tab} isFixed={tab.isFixed || (riddle !== undefined && tab.isRuntime)} goal={goal} wrong={wrong} />
      <div className="under">
        <p className="hint">{tab.isFixed ? words.onlyRead : words.leaveEditor}</p>
        {tab.isEdited && riddle === undefined && (
          <button type="button" className="link" onClick={() => playground.reset(tab.name)}>
            {words.resetFile(tab.name)}
          </button>
        )}
      </div>
      <Problems problems={wrong} go={go} />
    </section>
  );
}

interface TextProps {
  readonly tab: Tab;
  readonly isFixed: boolean;
  /** Where to go. */
  readonly goal: Problem | undefined;
  readonly wrong: readonly Problem[];
}

/** CodeMirror, as React sees it. */
function Text({ tab, isFixed, goal, wrong }: TextProps): ReactNode {
  const playground = usePlayground();
  const words = useWords();
  const code = usePart('scene')?.view.code;
  const opened = useDraft('opened');
  const riddle = useDraft('riddle');
  const run = useDraft('run');
  const shipped = useDraft('shipped');
  const box = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor>(undefined);
  const { name, text } = tab;
  useEffect(() => {
    if (box.current === null) return;
    const one = new Editor(box.current, {
      changed: (file, text) => playground.edit(file, text),
      names: () => playground.names,
    });
    editor.current = one;
    return () => one.close();
  }, [playground]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another program has other files, even by the same names
  useEffect(() => editor.current?.forget(), [opened]);
  const label = words.editorOf(name);
  useEffect(() => editor.current?.show(name, text, label, isFixed), [name, text, label, isFixed]);
  const source = code?.source;
  const here = source !== undefined && isNamed(source.file, name) ? source.line : undefined;
  const shown = riddle?.said !== undefined && riddle.file === name ? riddle.line : undefined;
  const unbroken = switchOf(run.runtime, shipped).find((source) => source.name === name)?.text ?? '';
  const isGone = shown !== undefined && text.split('\n').length < unbroken.split('\n').length;
  useEffect(() => {
    editor.current?.mark({ problems: wrong.filter(({ file }) => file === name), here, shown, isGone });
  }, [wrong, name, here, shown, isGone]);
  useEffect(() => {
    if (goal !== undefined && goal.file === name) editor.current?.goTo(goal.line ?? 1, goal.column);
  }, [goal, name]);
  const seen = shown ?? here;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another file is at its beginning
  useEffect(() => {
    if (seen !== undefined) editor.current?.reveal(seen);
  }, [seen, name]);
  return <div className="text" ref={box} />;
}

/** Whether a file, perhaps with its folders, is the one of that name. */
function isNamed(file: string, name: string): boolean {
  return file === name || file.endsWith(`/${name}`);
}

/** What is wrong, each to be gone to. */
function Problems({ problems, go }: { readonly problems: readonly Problem[]; go(problem: Problem): void }): ReactNode {
  const words = useWords();
  const isBuilding = useDraft('isBuilding');
  const coming = useDraft('coming');
  const where = ({ file, line, column }: Problem): string =>
    [file, line, column].filter((part) => part !== undefined).join(':');
  return (
    <div className="problems" role="status">
      {problems.length === 0 && (
        <p className={isBuilding ? 'none' : 'fine'}>
          {coming !== undefined ? words.partsCome : isBuilding ? `${words.working} …` : `✓ ${words.noProblems}`}
        </p>
      )}
      {problems.length > 0 && problems.some(({ file }) => !isSwitch({ name: file })) && <p>{words.oldInMachine}</p>}
      <ul>
        {problems.map((problem) => (
          <li key={`${where(problem)} ${problem.message}`}>
            <button type="button" className="link" onClick={() => go(problem)}>
              {where(problem)}
            </button>{' '}
            {problem.message}
          </li>
        ))}
      </ul>
    </div>
  );
}
