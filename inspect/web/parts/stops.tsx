import type { ReactNode } from 'react';
import type { Watched } from '../../session.js';
import { moveOf } from '../moves.js';
import type { Arrival, Stop } from '../protocol.js';
import type { Words } from '../words.js';
import { usePart, usePlayer, useWords } from './context.js';
import { shortPlace } from './place.js';

/** Breakpoints and watchpoints, and what runs to them; nothing as long as there are none. */
export function Stops(): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const stops = usePart('stops');
  if (stops.length === 0) return null;
  const runner = (name: 'run' | 'run-back', key: string): ReactNode => (
    <button
      type="button"
      title={words.moves[name]}
      onClick={() => {
        const move = moveOf(name);
        if (move !== undefined) player.move(move);
      }}
    >
      {words.run[name]} <kbd>{key}</kbd>
    </button>
  );
  return (
    <section className="stops" aria-label={words.stops}>
      <ul>
        {stops.map((stop) => (
          <li key={stop.number}>
            <span>{stopText(stop, words)}</span>
            <button
              type="button"
              className="quiet"
              aria-label={words.remove(stopText(stop, words))}
              onClick={() => void player.unwatch(stop.number)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <div className="runners">
        {runner('run-back', 'C')}
        {runner('run', 'c')}
      </div>
    </section>
  );
}

function stopText({ number, watched, text }: Stop, words: Words): string {
  return `${number} ${watched.kind === 'place' ? shortPlace(text) : watchedText(watched, words)}`;
}

function watchedText(watched: Watched, words: Words): string {
  switch (watched.kind) {
    case 'place':
      return watched.place;
    case 'register':
      return watched.register;
    case 'slot':
      return `${words.slot} ${watched.slot}, ${words.coroutine(watched.coroutine)}`;
    case 'memory':
      return `0x${watched.address.toString(16)}, ${words.bytes(String(watched.size))}`;
  }
}

/** Why the machine has stopped where it is; empty if for no reason but that it came there. */
export function arrivalText(
  { places, changes, by, missed }: Arrival,
  stops: readonly Stop[],
  moment: number,
  words: Words,
): string {
  if (missed) return moment === 0 ? words.missedBack : words.missed;
  const place = (number: number, typed: string): string =>
    shortPlace(stops.find((stop) => stop.number === number)?.text ?? typed);
  const who = by?.coroutine === undefined ? words.nobody : words.coroutine(by.coroutine);
  const changed = changes.map(({ number, watched, before, after }) =>
    words.stopChange(number, watchedText(watched, words), before ?? words.nothingThere, after ?? words.nothingThere),
  );
  const origin = by === undefined ? '' : words.changedBy(who, shortPlace(by.place), by.moment);
  return [
    ...places.map((one) => words.stopAt(one.number, place(one.number, one.place))),
    ...(changed.length === 0 ? [] : [`${changed.join('; ')}${origin}`]),
  ].join('; ');
}
