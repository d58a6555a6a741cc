import { type ReactNode, useEffect, useRef } from 'react';
import { endingLines } from '../../picture/telling.js';
import type { Ending } from '../../view/ending.js';
import type { OutputLine, OutputView } from '../../view/output.js';
import { useWords } from './context.js';

/** What the program has printed up to this moment. */
export function Output({ output }: { readonly output: OutputView }): ReactNode {
  const words = useWords();
  const box = useRef<HTMLPreElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end is to be seen whenever there is more
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [output.bytes]);
  return (
    <section className="panel output" aria-labelledby="output-title" id="pane-output" tabIndex={-1}>
      <h2 id="output-title">{words.output}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled is to be reached by keys */}
      <pre ref={box} tabIndex={0}>
        <Lines lines={output.lines} />
      </pre>
    </section>
  );
}

/** What has been printed. */
export function Lines({ lines }: { readonly lines: readonly OutputLine[] }): ReactNode {
  const words = useWords();
  if (lines.length === 0) return <span className="none">{words.noOutput}</span>;
  return lines.map(({ stream, text }, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
    <span key={index} className={stream === 2 ? 'stderr' : ''}>{`${stream === 2 ? '! ' : ''}${text}\n`}</span>
  ));
}

/** How a run has ended, said aloud. */
export function End({ ending }: { readonly ending: Ending }): ReactNode {
  return (
    <div className="ending" role="status">
      <EndingText ending={ending} />
    </div>
  );
}

/** How a run has ended. */
export function EndingText({ ending }: { readonly ending: Ending }): ReactNode {
  const words = useWords();
  return (
    <>
      <strong>{words.ended}</strong>
      {endingLines(ending, words).map((line) => (
        <p key={line}>{line}</p>
      ))}
    </>
  );
}
