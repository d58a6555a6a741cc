import type { Operand } from '../../emu/operand.js';
import type { RegisterUse } from '../../emu/register-access.js';
import { GENERAL_INDEX } from '../../emu/registers.js';
import type { Process } from '../../runtime/process.js';
import { accumulator, conditionHolds } from './conditions.js';
import { operandPlace } from './operand-place.js';
import { distance, type Place, sizeOf, valueAt, wholeRegister, within } from './place.js';

/** Where an instruction takes what it writes. */
export type Source =
  /** Another place, as it was in front of the instruction; what is written beyond its size are zeros or its sign. */
  | { readonly kind: 'copy'; readonly from: Place; readonly extension: 'zeros' | 'sign' }
  /** The instruction itself: an immediate, zero by xor with itself, a return address. */
  | { readonly kind: 'constant' }
  /** An address that lea makes of rip. */
  | { readonly kind: 'address' };

/** One value that an instruction moves. */
export interface Effect {
  readonly to: Place;
  readonly source: Source;
}

const WORD = 8;
const RSP = GENERAL_INDEX.rsp;
const HIGH_HALF = 8;

/** Two operands, the first of which becomes the second, or as much of it as there is. */
const MOVES =
  /^(mov|movabs|movnti|movzx|movsx|movsxd|movd|movq|mov[au]p[sd]|movdq[au]|lddqu|movntdqa?|movntp[sd]|movs[sd]|movlp[sd])$/;
const STRING = /^(movs|stos|lods)([bwdq])$/;
const STRING_SIZES: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, q: 8 };
/** Of a register with itself these are zeros, or ones, whatever was in it. */
const CONSTANT_WITH_ITSELF = /^(xor|sub|pxor|xorp[sd]|psub[bwdq]|pcmpeq[bwdq])$/;

const constant = { kind: 'constant' } as const;
const copy = (from: Place, extension: 'zeros' | 'sign' = 'zeros'): Source => ({ kind: 'copy', from, extension });

/** What the instruction that comes next moves from one place to another, or makes of nothing; not what it computes. */
export function effectsOf(process: Process, use: RegisterUse): Effect[] {
  const { name, operands } = use;
  const [first, second] = operands;
  const [target, source] = [operandPlace(process, use, first), operandPlace(process, use, second)];
  const rsp = process.cpu.pointer(RSP);
  const stack = (address: number, size = WORD): Place => ({ kind: 'memory', address, size });

  const string = STRING.exec(name);
  // movsd is two instructions.
  if (string !== null && !isVector(first) && !isVector(second))
    return stringEffects(process, use, string[1], STRING_SIZES[string[2]]);
  if (/^(mov[lh][lhp]|p?unpckl)/.test(name)) return halfEffects(name, target, source);
  if (MOVES.test(name) && target !== undefined) {
    const part =
      target.kind === 'memory' ? undefined : use.writes.find(({ register }) => register === target.part.register);
    const to: Place = part === undefined ? target : { kind: 'register', part };
    const from = source && within(source, 0, Math.min(sizeOf(source), sizeOf(target), sizeOf(to)));
    return [{ to, source: sourceOf(second, from, name.startsWith('movsx') ? 'sign' : 'zeros') }];
  }
  if (name.startsWith('cmov') && target !== undefined && source !== undefined) {
    return [{ to: whole(target), source: copy(conditionHolds(process, name) ? source : target) }];
  }
  if (name.startsWith('pushf')) return [{ to: stack(rsp - WORD), source: copy(wholeRegister('eflags')) }];
  if (name.startsWith('popf')) return [{ to: wholeRegister('eflags'), source: copy(stack(rsp)) }];
  if (name === 'push') {
    const size = target === undefined ? WORD : sizeOf(target);
    return first?.kind === 'other' ? [] : [{ to: stack(rsp - size, size), source: sourceOf(first, target, 'zeros') }];
  }
  if (name === 'pop' && target !== undefined) {
    // Behind it, rsp is higher: that is what an address with it counts from.
    const moved = first?.kind === 'memory' && first.base !== 'rip' && first.base?.register === 'rsp';
    const to = moved
      ? { ...target, address: (target.kind === 'memory' ? target.address : 0) + sizeOf(target) }
      : target;
    return [{ to, source: copy(stack(rsp, sizeOf(target))) }];
  }
  if (name === 'leave') {
    const rbp = Number(process.cpu.read('rbp'));
    return [{ to: wholeRegister('rbp'), source: copy(stack(rbp)) }];
  }
  if (name === 'enter') return [{ to: stack(rsp - WORD), source: copy(wholeRegister('rbp')) }];
  if (name === 'call') return [{ to: stack(rsp - WORD), source: constant }];
  if (name === 'lea' && first?.kind === 'register' && second?.kind === 'memory') return leaEffects(first, second);
  if ((name === 'xchg' || name === 'xadd') && target !== undefined && source !== undefined) {
    const back = { to: whole(source), source: copy(target) };
    return name === 'xadd' ? [back] : [{ to: whole(target), source: copy(source) }, back];
  }
  if (name === 'cmpxchg' && target !== undefined && source !== undefined) {
    const equal = valueAt(process, target) === accumulator(process, use);
    const rax = within(wholeRegister('rax'), 0, sizeOf(source));
    return [
      { to: whole(target), source: copy(equal ? source : target) },
      { to: whole(rax), source: copy(equal ? rax : target) },
    ];
  }
  const itself =
    first?.kind === 'register' && second?.kind === 'register' && first.part.register === second.part.register;
  if (CONSTANT_WITH_ITSELF.test(name) && itself && target !== undefined && first.part.size === second.part.size) {
    return [{ to: whole(target), source: constant }];
  }
  return [];
}

function isVector(operand: Operand | undefined): boolean {
  return operand?.kind === 'register' && operand.part.register.startsWith('xmm');
}

function sourceOf(operand: Operand | undefined, place: Place | undefined, extension: 'zeros' | 'sign'): Source {
  return place === undefined || operand?.kind === 'immediate' ? constant : copy(place, extension);
}

/** Of what is named as 32 bits of a general register all is written. */
function whole(place: Place): Place {
  if (place.kind === 'memory' || place.part.size !== 4 || place.part.register.startsWith('xmm')) return place;
  return wholeRegister(place.part.register);
}

/** Instructions that move one half of an SSE register. */
function halfEffects(name: string, target: Place | undefined, source: Place | undefined): Effect[] {
  if (target === undefined || source === undefined) return [];
  const half = (place: Place, high: boolean): Place =>
    place.kind === 'memory' ? place : within(place, high ? HIGH_HALF : 0, WORD);
  if (name === 'movlhps') return [{ to: half(target, true), source: copy(half(source, false)) }];
  if (name === 'movhlps') return [{ to: half(target, false), source: copy(half(source, true)) }];
  const move = /^mov([lh])p[sd]$/.exec(name);
  if (move !== null) return [{ to: half(target, move[1] === 'h'), source: copy(half(source, move[1] === 'h')) }];
  // The two low halves, one above the other.
  if (name !== 'punpcklqdq' && name !== 'unpcklpd') return [];
  const low = source.kind === 'memory' ? within(source, 0, WORD) : half(source, false);
  return [
    { to: half(target, true), source: copy(low) },
    { to: half(target, false), source: copy(half(target, false)) },
  ];
}

function leaEffects(
  target: Operand & { kind: 'register' },
  { base, index, displacement }: Operand & { kind: 'memory' },
): Effect[] {
  const to = whole(target);
  if (index !== undefined) return [];
  if (base === 'rip' || base === undefined) return [{ to, source: { kind: 'address' } }];
  return displacement === 0n ? [{ to, source: copy({ kind: 'register', part: base }) }] : [];
}

/** movs, stos and lods, as often as they are repeated. */
function stringEffects({ cpu }: Process, { repeats }: RegisterUse, name: string, size: number): Effect[] {
  const count = repeats ? Number(cpu.read('rcx')) : 1;
  if (count === 0) return [];
  const bytes = count * size;
  const down = (cpu.read('eflags') & (1n << 10n)) !== 0n;
  const lowest = (register: 'rsi' | 'rdi'): number => Number(cpu.read(register)) - (down ? bytes - size : 0);
  const last = (register: 'rsi' | 'rdi'): number => Number(cpu.read(register)) + (down ? -1 : 1) * (bytes - size);
  const to: Place = { kind: 'memory', address: lowest('rdi'), size: bytes };
  const rax = within(wholeRegister('rax'), 0, size);
  if (name === 'lods') return [{ to: whole(rax), source: copy({ kind: 'memory', address: last('rsi'), size }) }];
  if (name === 'movs') {
    const from: Place = { kind: 'memory', address: lowest('rsi'), size: bytes };
    // Where the two overlap, a byte may have come from one that was copied before.
    return distance(to, from) === undefined ? [{ to, source: copy(from) }] : [];
  }
  return Array.from({ length: count }, (_, index) => ({
    to: within(to, index * size, size),
    source: copy(rax),
  }));
}
