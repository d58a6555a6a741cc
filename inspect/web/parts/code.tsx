import { memo, type ReactNode, useEffect, useRef } from 'react';
import type { Source } from '../../../asm/statement.js';
import { hex } from '../../names.js';
import type { CodeView, InstructionRow } from '../../view/code.js';
import { usePart, useWords } from './context.js';
import { Gutter, moveFocus } from './gutter.js';
import { shortPlace } from './place.js';
import { Stops } from './stops.js';
import { Value } from './value.js';

/** Source and instructions side by side, both where the machine is. */
export function Code({ code, sources }: { readonly code: CodeView; readonly sources: readonly Source[] }): ReactNode {
  const words = useWords();
  const { source } = code;
  const text = sources.find(({ name }) => source?.file === name || source?.file.endsWith(`/${name}`))?.text;
  return (
    <section className="panel code" aria-labelledby="code-title" id="pane-code" tabIndex={-1}>
      <header>
        <h2 id="code-title">{words.code}</h2>
        <span className="place">{shortPlace(code.place)}</span>
      </header>
      <div className="pair">
        <SourceText file={source?.file ?? ''} text={text ?? ''} line={source?.line ?? 0} />
        <Instructions code={code} />
      </div>
      <Stops />
    </section>
  );
}

/** A row's place in the middle of what is seen, without moving the page. */
function useCentred(row: number): React.RefObject<HTMLElement | null> {
  const ref = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the row is found in the document
  useEffect(() => {
    const box = ref.current;
    const current = box?.querySelector<HTMLElement>('[aria-current]');
    if (box === null || current === null || current === undefined) return;
    const above = current.offsetTop - box.scrollTop;
    // As long as it can be seen well, nothing moves.
    if (above < box.clientHeight * 0.2 || above > box.clientHeight * 0.7) {
      box.scrollTop = current.offsetTop - box.clientHeight * 0.4;
    }
  }, [row]);
  return ref;
}

/** All places at which there is a breakpoint. */
function useBreakpoints(): ReadonlySet<string> {
  return new Set(usePart('stops').flatMap(({ places }) => places));
}

function SourceText({
  file,
  text,
  line,
}: {
  readonly file: string;
  readonly text: string;
  readonly line: number;
}): ReactNode {
  const words = useWords();
  const breakpoints = useBreakpoints();
  const name = file.replace(/.*\//, '');
  const box = useCentred(line + name.length * 100_000);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled is to be reached by keys
    <section className="listing source" ref={box} tabIndex={0} aria-label={`${words.source} ${name}`}>
      <h3>{name === '' ? words.source : name}</h3>
      <ol onKeyDown={moveFocus}>
        {linesOf(name, text).map((one, index) => {
          const place = `${file}:${index + 1}`;
          return (
            <SourceLine
              // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
              key={index}
              number={index + 1}
              text={one}
              place={place}
              isHere={index + 1 === line}
              isStop={breakpoints.has(place)}
            />
          );
        })}
      </ol>
    </section>
  );
}

/** In assembly text the column of labels is empty nearly always, and there is little room. */
function linesOf(name: string, text: string): string[] {
  const lines = text.split('\n');
  return name.endsWith('.s') || name.endsWith('.inc') ? lines.map((line) => line.replace(/^ {8}/, '  ')) : lines;
}

/** One of hundreds, of which a step changes two. */
const SourceLine = memo(function SourceLine({
  number,
  text,
  place,
  isHere,
  isStop,
}: {
  readonly number: number;
  readonly text: string;
  readonly place: string;
  readonly isHere: boolean;
  readonly isStop: boolean;
}): ReactNode {
  return (
    <li aria-current={isHere ? 'step' : undefined} data-place={place}>
      <Gutter place={place} name={`${number}`} isStop={isStop} isHere={isHere} text={`${number}`} />
      <code>{text}</code>
    </li>
  );
});

function Instructions({ code }: { readonly code: CodeView }): ReactNode {
  const words = useWords();
  const breakpoints = useBreakpoints();
  const here = code.rows.findIndex((row) => row.kind === 'instruction' && row.isNext);
  const next = code.rows[here];
  const box = useCentred(next?.kind === 'instruction' ? next.address : 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled is to be reached by keys
    <section className="listing instructions" ref={box} tabIndex={0} aria-label={words.instructions}>
      <h3>{words.instructions}</h3>
      <ol onKeyDown={moveFocus}>
        {code.rows.map((row, index) => {
          if (row.kind === 'instruction') {
            const { address, text, note, isNext } = row;
            return (
              <Instruction
                key={address}
                address={address}
                text={text}
                note={note}
                isNext={isNext}
                isStop={breakpoints.has(hex(BigInt(address)))}
              />
            );
          }
          const key = `${row.kind} ${index}`;
          if (row.kind === 'symbol') return <li key={key} className="symbol">{`${row.name}:`}</li>;
          return (
            <li key={key} className="of-source">
              {row.file.replace(/.*\//, '')}:{row.line}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

const Instruction = memo(function Instruction({
  address,
  text,
  note,
  isNext,
  isStop,
}: Pick<InstructionRow, 'address' | 'text' | 'note' | 'isNext'> & { readonly isStop: boolean }): ReactNode {
  const words = useWords();
  const place = hex(BigInt(address));
  return (
    <li aria-current={isNext ? 'step' : undefined} data-place={place}>
      <Gutter place={place} name={text} isStop={isStop} isHere={isNext} text="" />
      <Value name={text} value={BigInt(address)} />
      <code>{text}</code>
      {note !== '' && <span className="note">{note}</span>}
      {isNext && <span className="unseen">{words.here}</span>}
    </li>
  );
});
