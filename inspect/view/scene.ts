import type { Session } from '../session.js';
import type { ContextView } from './context.js';
import { type Ending, endingOf } from './ending.js';
import type { StackView } from './stack.js';
import type { Extent, MomentView, Viewer } from './viewer.js';

/** A coroutine with what is its own. */
export interface Party {
  readonly context: ContextView;
  readonly stack: StackView;
}

/** All that the page shows of a moment, as plain data. */
export interface Scene {
  readonly view: Omit<MomentView, 'outcome' | 'context' | 'stack' | 'lane'>;
  /** The two coroutines that are looked at, by their ids; one as long as there is but one. */
  readonly parties: readonly Party[];
  /** Id of the coroutine that the next instruction concerns. */
  readonly concerned: number;
  readonly ending: Ending | undefined;
}

const EXTENT: Extent = { code: 24, words: 96, coroutines: 64, output: 200, switches: 512, lane: 0 };
const OTHER: Extent = { ...EXTENT, code: 0, coroutines: 0, output: 0, switches: 0 };

/**
 * Makes the picture of a session's moment.
 * @param pinned id of a coroutine that is to be one of the two
 */
export async function sceneOf(session: Session, viewer: Viewer, pinned: number | undefined): Promise<Scene> {
  const { outcome, context, stack, lane, ...view } = await viewer.look(EXTENT);
  const known = view.coroutines.rows.map(({ id }) => id);
  const [one, other] = pairOf(session, context.coroutine, pinned, known);
  const parties: Party[] = [];
  for (const id of [one, other].filter((id) => id !== undefined).sort((a, b) => a - b)) {
    parties.push(id === context.coroutine ? { context, stack } : await viewer.look(OTHER, id));
  }
  return {
    view,
    parties: parties.map(({ context, stack }) => ({ context, stack })),
    concerned: context.coroutine,
    ending: endingOf(session.process, session.outcome),
  };
}

/** Who is looked at: whom the next instruction concerns, and the other one of the switch that comes, or came last. */
function pairOf(
  { moment, history: { switches } }: Session,
  concerned: number,
  pinned: number | undefined,
  known: readonly number[],
): number[] {
  const next = switches.after(moment);
  const near = [next - 1, next, next - 2, next + 1].flatMap((index) => {
    if (index < 0 || index >= switches.length) return [];
    const { from, to } = switches.at(index);
    return from === concerned ? [to] : to === concerned ? [from] : [];
  });
  const other = [pinned, ...near, ...known].find((id) => id !== undefined && id !== concerned && known.includes(id));
  return other === undefined ? [concerned] : [concerned, other];
}
