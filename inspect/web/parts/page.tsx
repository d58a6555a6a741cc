import { type ReactNode, useEffect, useRef } from 'react';
import { hex } from '../../names.js';
import { commandOf } from '../keys.js';
import { moveOf } from '../moves.js';
import type { Player } from '../player.js';
import { keysAreOn } from '../settings.js';
import { Code } from './code.js';
import { PlayerProvider, usePart, usePlayer, useWords, WordsProvider } from './context.js';
import { Controls } from './controls.js';
import { Header } from './header.js';
import { HiddenProvider } from './hidden.js';
import { InquiryPanel } from './inquiry.js';
import { KeysDialog } from './keys-dialog.js';
import { LessonText } from './lesson.js';
import { Memory } from './memory.js';
import { End, Output } from './output.js';
import { Predict } from './predict.js';
import { Runtime } from './runtime.js';
import { Switchboard } from './switchboard.js';

/** The page: a lesson, the machine, and what moves it. */
export function Page({ player }: { readonly player: Player }): ReactNode {
  return (
    <PlayerProvider value={player}>
      <WordsProvider>
        <Whole />
      </WordsProvider>
    </PlayerProvider>
  );
}

function Whole(): ReactNode {
  const player = usePlayer();
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const command = commandOf(event);
      if (command === undefined || (command !== 'close' && !keysAreOn())) return;
      if (document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      obey(player, command);
    };
    const follow = (): void => void player.follow();
    window.addEventListener('keydown', press);
    window.addEventListener('hashchange', follow);
    return () => {
      window.removeEventListener('keydown', press);
      window.removeEventListener('hashchange', follow);
    };
  }, [player]);
  return (
    <>
      <Header />
      <main>
        <HiddenProvider>
          <Reading />
          <Stage />
        </HiddenProvider>
      </main>
      <Asked />
      <Controls />
      <Keys />
    </>
  );
}

function Asked(): ReactNode {
  const inquiry = usePart('inquiry');
  return inquiry !== undefined && <InquiryPanel inquiry={inquiry} />;
}

function Keys(): ReactNode {
  return usePart('showsKeys') && <KeysDialog />;
}

function obey(player: Player, command: string): void {
  const { passage, predicting, inquiry } = player.state;
  const move = moveOf(command);
  if (move !== undefined) {
    player.pause();
    player.move(move);
  } else if (command === 'play') player.play();
  else if (command === 'next-passage') void player.toPassage(passage + 1);
  else if (command === 'previous-passage') void player.toPassage(passage - 1);
  else if (command === 'predict') player.setPredicting(!predicting);
  else if (command === 'toggle') void player.toggle(chosenPlace() ?? nextPlace(player));
  else if (command === 'why') void player.who();
  else if (command === 'help') player.showKeys(true);
  else if (command === 'close') {
    if (inquiry !== undefined) player.closeInquiry();
    else player.stop();
  }
}

/** Of the line of code that has the focus. */
function chosenPlace(): string | undefined {
  return document.activeElement?.closest<HTMLElement>('[data-place]')?.dataset.place;
}

function nextPlace({ state: { scene } }: Player): string {
  return hex(scene?.view.registers.find(({ name }) => name === 'rip')?.now ?? 0n);
}

/** The text, and what the program and libmill say. */
function Reading(): ReactNode {
  const lesson = usePart('lesson');
  const scene = usePart('scene');
  const passage = usePart('passage');
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another passage is read from its beginning
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = 0;
  }, [passage, lesson?.name]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled is to be reached by keys
    <div className="reading" ref={box} tabIndex={0}>
      {lesson !== undefined && <LessonText lesson={lesson} />}
      {scene?.ending !== undefined && <End ending={scene.ending} />}
      {scene !== undefined && <Runtime scene={scene} />}
      {scene !== undefined && <Output output={scene.view.output} />}
    </div>
  );
}

/** The machine, or how far it has come. */
function Stage(): ReactNode {
  const words = useWords();
  const scene = usePart('scene');
  const previous = usePart('previous');
  const lesson = usePart('lesson');
  const program = usePart('program');
  const predicting = usePart('predicting');
  if (scene === undefined) return <Coming />;
  const { view } = scene;
  const next = view.code.next?.text ?? '';
  return (
    <div className="stage">
      <p className="unseen" role="status">
        {words.moment} {view.moment}: {view.running === undefined ? '' : words.coroutine(view.running)},{' '}
        {view.code.place}. {words.next}: {next}
      </p>
      {predicting && <Predict scene={scene} />}
      <Switchboard scene={scene} previous={previous} />
      <Code code={view.code} sources={lesson?.sources[program] ?? []} />
      <Memory scene={scene} />
    </div>
  );
}

function Coming(): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const engine = usePart('engine');
  const refused = usePart('refused');
  if (engine.kind === 'broken' || refused !== undefined) {
    return (
      <div className="stage coming" role="alert">
        <p>{engine.kind === 'broken' ? `${words.broken}: ${engine.message}` : refused}</p>
        <button type="button" onClick={() => void player.restart()}>
          {words.again}
        </button>
      </div>
    );
  }
  const [loaded, total] = engine.kind === 'loading' ? [engine.loaded, engine.total] : [1, 1];
  const isComing = loaded < total || total === 0;
  return (
    <div className="stage coming" role="status">
      <label>
        {isComing ? words.loading : words.starting} {isComing && total > 0 && `${Math.floor((loaded / total) * 100)} %`}
        <progress max={total || 1} value={isComing ? loaded : undefined} />
      </label>
    </div>
  );
}
