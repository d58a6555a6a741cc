import { judge, type Verdict } from '../lesson/answer.js';
import type { Scene } from '../view/scene.js';

/** Something that an instruction may change besides rip and the flags. */
export type Target =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'slot'; readonly coroutine: number; readonly index: number; readonly name: string }
  /** Any word of a stack. */
  | { readonly kind: 'stack' };

/** A change that the next instruction makes. */
export interface Change {
  readonly target: Target;
  readonly value: bigint;
}

/** All that one can guess. */
export function targetsOf({ view, parties }: Scene): Target[] {
  const registers = view.registers.filter(({ name }) => name !== 'rip' && name !== 'eflags');
  return [
    { kind: 'nothing' },
    ...registers.map(({ name }): Target => ({ kind: 'register', name })),
    ...parties.flatMap(({ context: { coroutine, slots } }) =>
      slots.map(({ index, name }): Target => ({ kind: 'slot', coroutine, index, name })),
    ),
    { kind: 'stack' },
  ];
}

/** What the machine does next, as far as it is in the picture. */
export function changesOf({ view, parties }: Scene): Change[] {
  const changes: Change[] = [];
  for (const { name, now, after } of view.registers) {
    if (name === 'rip' || name === 'eflags' || after === undefined || after === now) continue;
    changes.push({ target: { kind: 'register', name }, value: after });
  }
  for (const { context, stack } of parties) {
    const { coroutine, address, slots } = context;
    for (const { index, name, held, after, travel } of slots) {
      // A slot may be given the value that it has.
      if (after === undefined || (after === held && travel?.to !== 'slot')) continue;
      changes.push({ target: { kind: 'slot', coroutine, index, name }, value: after });
    }
    for (const { address: at, value, after } of stack.words) {
      const inCtx = at >= address && at < address + slots.length * 8;
      if (!inCtx && after !== undefined && after !== value) changes.push({ target: { kind: 'stack' }, value: after });
    }
  }
  return changes;
}

/** Names a target for comparing and for forms. */
export function targetKey(target: Target): string {
  if (target.kind === 'register') return target.name;
  return target.kind === 'slot' ? `${target.coroutine} ${target.index}` : target.kind;
}

/** Judges a guess. @param typed the value, which may be written with the names of registers as they are now */
export function judgeGuess(scene: Scene, target: Target, typed: string): Verdict {
  const changes = changesOf(scene);
  if (target.kind === 'nothing') return changes.length === 0 ? 'right' : 'wrong';
  const fitting = changes.filter((one) => targetKey(one.target) === targetKey(target));
  const names = (name: string): bigint | undefined => scene.view.registers.find((one) => one.name === name)?.now;
  const verdicts = [...fitting.map(({ value }) => value), undefined].map((value) =>
    judge({ kind: 'number', value: value ?? -1n, symbol: undefined, names }, typed),
  );
  return verdicts.includes('right') ? 'right' : verdicts.includes('unreadable') ? 'unreadable' : 'wrong';
}
