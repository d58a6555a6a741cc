import type { ReactNode } from 'react';
import type { ClauseRow, SlotRow } from '../../workshop/protocol.js';
import { useDraft, useWords } from './context.js';

/** Where the switch keeps what, and what of the contract it keeps. */
export function Contract(): ReactNode {
  const words = useWords();
  const measured = useDraft('measured');
  const isBuilding = useDraft('isBuilding');
  const problems = useDraft('problems');
  const riddle = useDraft('riddle');
  const isAsked = riddle !== undefined && riddle.said === undefined;
  return (
    <section
      className={isBuilding ? 'panel contract old' : 'panel contract'}
      aria-labelledby="contract-title"
      aria-busy={isBuilding}
    >
      <header>
        <h2 id="contract-title">{words.measuredSwitch}</h2>
        {measured !== undefined && <Summary clauses={measured.clauses} />}
      </header>
      {isAsked && <p className="none">{words.hiddenNow}</p>}
      {!isAsked && measured === undefined && <p className="none">{problems.length > 0 ? words.notMeasured : '…'}</p>}
      {measured?.failed !== undefined && <p className="failed">✗ {measured.failed}</p>}
      {measured !== undefined && <Slots slots={measured.slots} />}
      {measured !== undefined && <Clauses clauses={measured.clauses} />}
    </section>
  );
}

function Summary({ clauses }: { readonly clauses: readonly ClauseRow[] }): ReactNode {
  const words = useWords();
  const neverKept = useDraft('neverKept');
  const lost = clauses.filter(({ id, verdict }) => verdict === 'lost' && !neverKept.includes(id)).length;
  return (
    <span className={lost === 0 ? 'verdict fine' : 'verdict failed'} role="status">
      {lost === 0 ? `✓ ${words.contractKept}` : `✗ ${words.contractLost(lost)}`}
    </span>
  );
}

function Slots({ slots }: { readonly slots: readonly SlotRow[] }): ReactNode {
  const words = useWords();
  return (
    <table className="slots" aria-label={words.slots}>
      <thead>
        <tr>
          <th scope="col">{words.offset}</th>
          <th scope="col">{words.isSaved}</th>
          <th scope="col">{words.isRestored}</th>
          <th scope="col">
            <span className="unseen">{words.verdict}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {slots.map(({ place, offset, saved, restored, wrong }) => (
          <tr key={place} className={wrong === undefined ? '' : 'wrong'} data-offset={offset}>
            <th scope="row">{place}</th>
            <td>{saved ?? <span className="none">{words.nothing}</span>}</td>
            <td>{restored ?? <span className="none">{words.nothing}</span>}</td>
            <td className="verdict">{wrong === undefined ? `✓ ${words.kept}` : `✗ ${wrong}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Those first that the switch as shipped keeps, and this one does not; and the others for whoever asks. */
function Clauses({ clauses }: { readonly clauses: readonly ClauseRow[] }): ReactNode {
  const words = useWords();
  const neverKept = useDraft('neverKept');
  const isBroken = ({ id, verdict }: ClauseRow): boolean => verdict === 'lost' && !neverKept.includes(id);
  const lost = clauses.filter(isBroken);
  const others = clauses.filter((clause) => !isBroken(clause));
  return (
    <>
      {lost.length > 0 && <List clauses={lost} />}
      <details>
        <summary>{words.otherClauses(others.length)}</summary>
        <List clauses={others} />
      </details>
    </>
  );
}

function List({ clauses }: { readonly clauses: readonly ClauseRow[] }): ReactNode {
  const words = useWords();
  const neverKept = useDraft('neverKept');
  return (
    <ul className="clauses">
      {clauses.map(({ id, name, verdict, explanation }) => (
        <li key={id} className={verdict === 'lost' && !neverKept.includes(id) ? 'wrong' : ''} data-clause={id}>
          <strong>
            <span aria-hidden="true">{verdict === 'lost' ? '✗' : verdict === 'kept' ? '✓' : '·'}</span> {name}:{' '}
            {words.verdicts[verdict]}
            {verdict === 'lost' && neverKept.includes(id) && `, ${words.asShipped}`}
          </strong>
          {explanation !== '' && <span> {explanation}</span>}
        </li>
      ))}
    </ul>
  );
}
