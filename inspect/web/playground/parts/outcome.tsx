import type { ReactNode } from 'react';
import { usePlayer } from '../../parts/context.js';
import { EndingText, Lines } from '../../parts/output.js';
import type { Outcome } from '../../protocol.js';
import { isSameOutcome } from '../draft.js';
import { useDraft, useWords } from './context.js';

/** What the program does if nobody stops it, and whether that is another thing than before. */
export function OutcomePanel(): ReactNode {
  const player = usePlayer();
  const words = useWords();
  const outcome = useDraft('outcome');
  const before = useDraft('before');
  const isBuilding = useDraft('isBuilding');
  if (outcome === undefined) return null;
  const differs = before !== undefined && !isSameOutcome(before, outcome);
  return (
    <section
      className={isBuilding ? 'panel outcome old' : 'panel outcome'}
      aria-labelledby="outcome-title"
      aria-busy={isBuilding}
    >
      <header>
        <h2 id="outcome-title">{words.outcome}</h2>
        {differs && <strong className="differs">≠ {words.differs}</strong>}
        <button type="button" className="link" onClick={() => player.move({ kind: 'at', moment: outcome.moment })}>
          {words.goToEnd(outcome.moment)}
        </button>
      </header>
      <div className="runs">
        <Run outcome={outcome} title={differs ? words.now : undefined} />
        {differs && <Run outcome={before} title={words.beforeEdit} />}
      </div>
    </section>
  );
}

function Run({
  outcome: { output, ending },
  title,
}: {
  readonly outcome: Outcome;
  readonly title: string | undefined;
}): ReactNode {
  const words = useWords();
  return (
    <div className="run">
      {title !== undefined && <h3>{title}</h3>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled is to be reached by keys */}
      <pre tabIndex={0}>
        <Lines lines={output.lines} />
      </pre>
      <div className="ending">{ending === undefined ? <p>{words.noEnd}</p> : <EndingText ending={ending} />}</div>
    </div>
  );
}
