import { type ReactNode, useEffect, useRef } from 'react';
import { hex } from '../../names.js';
import type { Ending } from '../../view/ending.js';
import type { OutputView } from '../../view/output.js';
import type { Words } from '../words.js';
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
        {output.lines.length === 0 && <span className="none">{words.noOutput}</span>}
        {output.lines.map(({ stream, text }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
          <span key={index} className={stream === 2 ? 'stderr' : ''}>{`${stream === 2 ? '! ' : ''}${text}\n`}</span>
        ))}
      </pre>
    </section>
  );
}

/** How the program ended. */
export function End({ ending }: { readonly ending: Ending }): ReactNode {
  const words = useWords();
  return (
    <div className="ending" role="status">
      <strong>{words.ended}</strong>
      {lines(ending, words).map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}

/** How a run has ended, in words. */
function lines(ending: Ending, words: Words): string[] {
  switch (ending.kind) {
    case 'exit':
      return [words.exit(ending.status)];
    case 'abort':
      return [words.aborted(ending.message)];
    case 'fault': {
      const { what, access, target, region, guardOf } = ending;
      if (access === undefined || target === undefined) return [words.fault(what)];
      if (guardOf !== undefined) return [words.guardFault(words.coroutine(guardOf), access, hex(target))];
      return [words.fault(what), words.accessFault(access, hex(target), region ?? '')];
    }
    case 'deadlock': {
      const { waiters, cycle } = ending.report;
      const circle = cycle === undefined ? [] : [...cycle, cycle[0]].map(words.coroutine).join(' → ');
      return [
        words.deadlock,
        ...waiters.map(({ coroutine, operation, channels }) =>
          [words.waits(words.coroutine(coroutine), operation), ...channels.map((one) => peer(one, words))].join('; '),
        ),
        ...(circle.length === 0 ? [] : [`${words.circle} ${circle}`]),
      ];
    }
  }
}

type WaitedFor = (Ending & { kind: 'deadlock' })['report']['waiters'][number]['channels'][number];

function peer({ channel, wants, lastPeer }: WaitedFor, words: Words): string {
  if (wants === 'receive') {
    return lastPeer === undefined ? words.neverSent(channel) : words.lastSent(words.coroutine(lastPeer), channel);
  }
  return lastPeer === undefined ? words.neverReceived(channel) : words.lastReceived(words.coroutine(lastPeer), channel);
}
