import type { ReactNode } from 'react';
import { moveOf } from '../moves.js';
import { SPEEDS } from '../player.js';
import { usePart, usePlayer, useWords } from './context.js';
import { arrivalText } from './stops.js';
import { Timeline } from './timeline.js';

/** Drawn on 24 by 24. */
const ICONS = {
  start: 'M6 5v14M19 5l-9 7 9 7z',
  'switch-back': 'M12 5l-7 7 7 7M19 5l-7 7 7 7',
  back: 'M16 5l-9 7 9 7z',
  play: 'M7 4l13 8-13 8z',
  pause: 'M7 5h3v14H7zM14 5h3v14h-3z',
  step: 'M8 5l9 7-9 7z',
  switch: 'M5 5l7 7-7 7M12 5l7 7-7 7',
  end: 'M18 5v14M5 5l9 7-9 7z',
} as const;

/** The bar by which the machine is moved. */
export function Controls(): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const scene = usePart('scene');
  const playing = usePart('playing');
  const speed = usePart('speed');
  const predicting = usePart('predicting');
  const view = scene?.view;
  const mover = (name: keyof typeof words.moves & keyof typeof ICONS, key: string): ReactNode => (
    <button
      type="button"
      className="mover"
      disabled={scene === undefined}
      aria-label={words.moves[name]}
      title={`${words.moves[name]} (${key})`}
      onClick={() => {
        const move = moveOf(name);
        if (move !== undefined) player.move(move);
      }}
    >
      <Icon name={name} />
    </button>
  );
  return (
    <section className="controls" aria-label={words.controls} id="controls" tabIndex={-1}>
      {view !== undefined && <Timeline timeline={view.timeline} />}
      <div className="bar">
        <div className="movers">
          {mover('start', 'g')}
          {mover('switch-back', 'T')}
          {mover('back', 'S')}
          <button
            type="button"
            className="mover play"
            disabled={scene === undefined}
            aria-label={playing ? words.pause : words.play}
            title={`${words.moves.play} (${words.space})`}
            onClick={() => player.play()}
          >
            <Icon name={playing ? 'pause' : 'play'} />
          </button>
          {mover('step', 's')}
          {mover('switch', 't')}
          {mover('end', 'G')}
        </div>
        <output className="moment" data-moment={view?.moment}>
          {view !== undefined && words.momentOf(view.moment, view.timeline.furthest, view.timeline.isWhole)}
        </output>
        <label className="speed">
          <span>{words.speed}</span>
          <select value={speed} onChange={({ target }) => player.setSpeed(Number(target.value))}>
            {SPEEDS.map((one) => (
              <option key={one} value={one}>
                {words.perSecond(one)}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          aria-pressed={predicting}
          disabled={scene === undefined}
          onClick={() => player.setPredicting(!predicting)}
        >
          {words.predict}
        </button>
        <button type="button" className="keys" onClick={() => player.showKeys(true)}>
          {words.help}
        </button>
      </div>
      <News />
    </section>
  );
}

/** What takes longer, or could not be done. */
function News(): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const busy = usePart('busy');
  const refused = usePart('refused');
  const arrival = usePart('arrival');
  const stops = usePart('stops');
  const moment = usePart('scene')?.view.moment ?? 0;
  const reason = arrival === undefined ? '' : arrivalText(arrival, stops, moment, words);
  return (
    <p className="news" role="status">
      {busy !== undefined && (
        <>
          <button type="button" onClick={() => player.stop()}>
            {words.stop}
          </button>{' '}
          <button type="button" className="link" onClick={() => void player.restart()}>
            {words.again}
          </button>{' '}
          {words.working}
          {busy.moment !== undefined && `: ${words.moment} ${busy.moment.toLocaleString()}`}
        </>
      )}
      {busy === undefined && (refused ?? (reason === '' ? null : <span className="reason">{reason}</span>))}
    </p>
  );
}

function Icon({ name }: { readonly name: keyof typeof ICONS }): ReactNode {
  return (
    <svg className={`icon ${name}`} viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={ICONS[name]} />
    </svg>
  );
}
