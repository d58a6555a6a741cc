import { type ReactNode, useEffect, useRef } from 'react';
import { hex } from '../../names.js';
import type { ProvenanceStep } from '../../provenance/step.js';
import type { WatchedValue } from '../../watched.js';
import { originText, placeName } from '../origin-words.js';
import type { Inquiry, Origin } from '../state.js';
import { usePart, usePlayer, useWords } from './context.js';
import { shortPlace } from './place.js';
import { Who } from './who.js';

const CODE_ENDS = 0x80000000n;

/** What is known of a number. */
export function InquiryPanel({ inquiry }: { readonly inquiry: Inquiry }): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const { name, value, asking, moment, meaning, origin } = inquiry;
  const signed = BigInt.asIntN(64, value);
  const box = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another number is another dialogue
  useEffect(() => {
    const { activeElement } = document;
    box.current?.focus();
    return () => {
      if (activeElement instanceof HTMLElement && activeElement.isConnected) activeElement.focus();
    };
  }, [name, value]);
  return (
    <aside className="inquiry" ref={box} tabIndex={-1} aria-label={`${words.askOf} ${name}`}>
      <header>
        <h2>
          {name} <small>{`${words.moment} ${moment}`}</small>
        </h2>
        <button type="button" className="quiet" onClick={() => player.closeInquiry()} aria-label={words.close}>
          ×
        </button>
      </header>
      <dl>
        <dt>{words.hex}</dt>
        <dd>{hex(value)}</dd>
        <dt>{words.decimal}</dt>
        <dd>{value.toString()}</dd>
        {signed < 0n && (
          <>
            <dt>{words.signed}</dt>
            <dd>{signed.toString()}</dd>
          </>
        )}
        {meaning !== undefined && meaning !== '' && (
          <>
            <dt>{words.is}</dt>
            <dd>{shortPlace(meaning)}</dd>
          </>
        )}
      </dl>
      {asking !== undefined && (
        <div className="ask">
          {origin === undefined && (
            <button type="button" onClick={() => void player.who()}>
              {words.whoWrote}
            </button>
          )}
          <Watch asking={asking} />
        </div>
      )}
      <div aria-live="polite">{origin !== undefined && <Chain origin={origin} />}</div>
      {meaning !== undefined && meaning !== '' && value < CODE_ENDS && /\(.+:\d+\)$/.test(meaning) && (
        <button type="button" onClick={() => player.move({ kind: 'to', address: Number(value) })}>
          {words.goToAddress}
        </button>
      )}
    </aside>
  );
}

/** Sets a watchpoint, or takes it away. */
function Watch({ asking }: { readonly asking: WatchedValue }): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const stops = usePart('stops');
  const same = stops.filter(({ watched }) => JSON.stringify(watched) === JSON.stringify(asking));
  const set = same.length > 0;
  return (
    <button
      type="button"
      aria-pressed={set}
      onClick={() => void (set ? player.unwatch(...same.map(({ number }) => number)) : player.watch(asking))}
    >
      {words.watch}
    </button>
  );
}

/** From where a value has come, the last write first. */
function Chain({ origin: { steps, end } }: { readonly origin: Origin }): ReactNode {
  const player = usePlayer();
  const words = useWords();
  return (
    <>
      <ol className="chain">
        {steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same instruction may be there twice, and none goes away
          <Link key={index} step={step} />
        ))}
      </ol>
      {end === 'searching' && <p>{words.working} …</p>}
      {end === 'interrupted' && <p>{words.interrupted}</p>}
      {(end === 'long' || end === 'interrupted') && (
        <button type="button" onClick={() => void player.who()}>
          {words.further}
        </button>
      )}
    </>
  );
}

/** One write: what it has made, from what, and where. */
function Link({ step }: { readonly step: ProvenanceStep }): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const language = usePart('language');
  const { moment, coroutine, text, at, name, after } = step;
  const isInstruction = at !== '';
  return (
    <li>
      <button type="button" className="link" onClick={() => player.move({ kind: 'at', moment })}>
        {words.moment} {moment}
      </button>{' '}
      {coroutine !== undefined && <Who id={coroutine} />} {isInstruction && <code>{text}</code>}
      {isInstruction && <span className="place">{shortPlace(at)}</span>}
      <span className="made">
        {placeName(name, language)} = {hex(after)}
      </span>
      <span className="from">{originText(step, language)}</span>
    </li>
  );
}
