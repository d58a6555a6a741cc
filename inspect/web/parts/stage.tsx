import type { ReactNode } from 'react';
import { Code } from './code.js';
import { usePart, usePlayer, useWords } from './context.js';
import { Memory } from './memory.js';
import { Predict } from './predict.js';
import { Switchboard } from './switchboard.js';

/** The machine, or how far it has come. */
export function Stage(): ReactNode {
  const words = useWords();
  const scene = usePart('scene');
  const previous = usePart('previous');
  const sources = usePart('sources');
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
      <Code code={view.code} sources={sources} />
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
