import type { MoveOptions } from '../history.js';
import type { Session } from '../session.js';

type Mover = (session: Session, options: MoveOptions) => Promise<unknown>;

/** Movements that need nothing but their name, which is that of the terminal stepper's command. */
const PLAIN = {
  line: (session, options) => session.stepLine(options),
  'line-back': (session, options) => session.stepLineBack(options),
  run: (session, options) => session.run(options),
  'run-back': (session, options) => session.runBack(options),
  over: (session, options) => session.stepOver(options),
  'over-back': (session, options) => session.stepOverBack(options),
  out: (session, options) => session.stepOut(options),
  'out-back': (session, options) => session.stepOutBack(options),
  switch: (session, options) => session.nextSwitch(undefined, options),
  'switch-back': (session, options) => session.previousSwitch(undefined, options),
  end: (session, options) => session.go(Number.POSITIVE_INFINITY, options),
} as const satisfies Readonly<Record<string, Mover>>;

/** A movement through a run, as data. */
export type Move =
  | { readonly kind: 'at'; readonly moment: number }
  /** So many instructions; below 0, back. */
  | { readonly kind: 'step'; readonly count: number }
  /** The next time that the guest is at an address. */
  | { readonly kind: 'to'; readonly address: number }
  /** Of a channel, by its id. */
  | { readonly kind: 'operation' | 'operation-back'; readonly channel: number }
  | { readonly kind: keyof typeof PLAIN };

/** The movements that a key can stand for. */
export type MoveName = 'step' | 'back' | 'start' | keyof typeof PLAIN;

/** The movement of that name; undefined if there is none. */
export function moveOf(name: string): Move | undefined {
  if (name === 'step') return { kind: 'step', count: 1 };
  if (name === 'back') return { kind: 'step', count: -1 };
  if (name === 'start') return { kind: 'at', moment: 0 };
  return name in PLAIN ? { kind: name as keyof typeof PLAIN } : undefined;
}

/** Makes a movement. @returns false if what it looks for did not come up to the end of the run, or to its start */
export async function perform(session: Session, move: Move, options: MoveOptions): Promise<boolean> {
  return (await result(session, move, options)) !== false || options.signal?.aborted === true;
}

function result(session: Session, move: Move, options: MoveOptions): Promise<unknown> {
  switch (move.kind) {
    case 'at':
      return session.go(move.moment, options);
    case 'step':
      return session.step(move.count, options);
    case 'to':
      return session.to(`0x${move.address.toString(16)}`, options);
    case 'operation':
      return session.nextOperation(move.channel, options);
    case 'operation-back':
      return session.previousOperation(move.channel, options);
    default:
      return PLAIN[move.kind](session, options);
  }
}
