import type { ReactNode } from 'react';
import type { ChannelView } from '../../survey.js';
import type { CoroutineRow } from '../../view/coroutines.js';
import type { Scene } from '../../view/scene.js';
import { usePart, usePlayer, useWords } from './context.js';
import { shortPlace } from './place.js';
import { Who } from './who.js';

/** What libmill knows: who is ready, who waits, and for what. */
export function Runtime({ scene: { view, parties } }: { readonly scene: Scene }): ReactNode {
  const words = useWords();
  return (
    <section className="panel runtime" aria-labelledby="coroutines-title" id="pane-coroutines" tabIndex={-1}>
      <header>
        <h2 id="coroutines-title">{words.coroutines}</h2>
        <span className="clock">
          {words.clock} {view.time} ms
        </span>
      </header>
      <Queue ready={view.coroutines.ready} running={view.running} />
      <ul className="coroutines">
        {view.coroutines.rows.map((row) => (
          <Coroutine key={row.id} row={row} isSeen={parties.some(({ context }) => context.coroutine === row.id)} />
        ))}
      </ul>
      <h3>{words.channels}</h3>
      {view.channels.length === 0 ? (
        <p className="none">{words.noChannels}</p>
      ) : (
        <ul className="channels">
          {view.channels.map((channel) => (
            <Channel key={channel.id} channel={channel} />
          ))}
        </ul>
      )}
      <h3>{words.timers}</h3>
      {view.timers.length === 0 ? (
        <p className="none">{words.noTimers}</p>
      ) : (
        <ol className="timers">
          {view.timers.map(({ coroutine, deadline, kind }) => (
            <li key={coroutine}>
              <Who id={coroutine} /> {kind} {deadline} ms
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** Who runs, and who will, in their order. */
function Queue({
  ready,
  running,
}: {
  readonly ready: readonly number[];
  readonly running: number | undefined;
}): ReactNode {
  const words = useWords();
  return (
    <div className="queue">
      <span className="seat">
        <small>{words.cpu}</small>
        {running === undefined ? <span className="none">{words.nobody}</span> : <Who id={running} />}
      </span>
      <span className="line" aria-hidden="true">
        ◂
      </span>
      <span className="seat waiting">
        <small>{words.ready}</small>
        {ready.length === 0 ? (
          <span className="none">{words.nobody}</span>
        ) : (
          <ol>
            {ready.map((id) => (
              <li key={id}>
                <Who id={id} />
              </li>
            ))}
          </ol>
        )}
      </span>
    </div>
  );
}

function Coroutine({
  row: { id, state, turn, at },
  isSeen,
}: {
  readonly row: CoroutineRow;
  readonly isSeen: boolean;
}): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const pinned = usePart('pinned');
  return (
    <li className={isSeen ? 'seen' : ''}>
      <button type="button" aria-pressed={pinned === id} onClick={() => player.pin(id)}>
        <Who id={id} />
      </button>
      <span className="state">{turn === undefined ? words.state(state) : words.turn(turn)}</span>
      <span className="place">{shortPlace(at)}</span>
    </li>
  );
}

/** Those who wait to send, what is in between, those who wait to receive. */
function Channel({ channel }: { readonly channel: ChannelView }): ReactNode {
  const words = useWords();
  const { id, senders, receivers, items, capacity, done, references } = channel;
  const end = (ids: readonly number[], label: string): ReactNode => (
    <span className="end">
      {ids.length > 0 && <span className="unseen">{label}</span>}
      {ids.map((one) => (
        <Who key={one} id={one} />
      ))}
    </span>
  );
  return (
    <li>
      <b>{`<${id}>`}</b>
      {end(senders, words.waitsToSend)}
      <span className="tube">
        <span aria-hidden="true">→</span>
        {capacity > 0 && (
          <>
            <Places items={items} capacity={capacity} />
            <span aria-hidden="true">→</span>
          </>
        )}
        <span className="unseen">{`${items}/${capacity} ${words.elements}`}</span>
      </span>
      {end(receivers, words.waitsToReceive)}
      <small>
        {words.handles(references)}
        {done && `, ${words.done}`}
      </small>
    </li>
  );
}

const MOST_PLACES = 16;

function Places({ items, capacity }: { readonly items: number; readonly capacity: number }): ReactNode {
  if (capacity > MOST_PLACES) {
    return (
      <span className="count">
        {items}/{capacity}
      </span>
    );
  }
  return (
    <span className="places" aria-hidden="true">
      {Array.from({ length: capacity }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places have no other name
        <span key={index} className={index < items ? 'full' : ''} />
      ))}
    </span>
  );
}
