import { type ReactNode, useEffect, useRef } from 'react';
import { hex } from '../../names.js';
import type { Inquiry } from '../player.js';
import { usePlayer, useWords } from './context.js';
import { shortPlace } from './place.js';
import { Who } from './who.js';

const CODE_ENDS = 0x80000000n;

/** What is known of a number. */
export function InquiryPanel({ inquiry }: { readonly inquiry: Inquiry }): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const { name, value, asking, meaning, written } = inquiry;
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
        <h2>{name}</h2>
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
      {asking !== undefined && written === undefined && (
        <button type="button" onClick={() => void player.who()}>
          {words.whoWrote}
        </button>
      )}
      <div aria-live="polite">
        <WrittenBy written={written} />
      </div>
      {meaning !== undefined && meaning !== '' && value < CODE_ENDS && /\(.+:\d+\)$/.test(meaning) && (
        <button type="button" onClick={() => player.move({ kind: 'to', address: Number(value) })}>
          {words.goToAddress}
        </button>
      )}
    </aside>
  );
}

function WrittenBy({ written }: Pick<Inquiry, 'written'>): ReactNode {
  const player = usePlayer();
  const words = useWords();
  if (written === undefined) return null;
  if (written === 'searching') return <p>{words.working} …</p>;
  if (written === 'interrupted') return <p>{words.interrupted}</p>;
  const { moment, place, instruction, by } = written;
  if (moment === undefined) return <p>{words.neverWritten}</p>;
  return (
    <>
      <p>
        <code>{instruction}</code>
        <br />
        {by !== undefined && <Who id={by} />} {shortPlace(place)}
        <br />
        {words.writtenAt(moment)}
      </p>
      <button type="button" onClick={() => player.move({ kind: 'at', moment })}>
        {words.goThere}
      </button>
    </>
  );
}
