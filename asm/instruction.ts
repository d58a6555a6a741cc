import { Fault } from './errors.js';
import { type Expression, isConstant, type Lookup, splitAtCommas } from './expression.js';
import { type Operand, parseOperand, renderOperand } from './operand.js';
import { registerWidth } from './registers.js';
import type { Statement } from './statement.js';

/** A value that must be within bounds once labels have addresses. */
export interface Bound {
  readonly value: Expression;
  readonly least: bigint;
  readonly most: bigint;
  readonly reason: string;
}

/** A statement as Keystone is to see it, and what must be true of the outcome. */
export interface Rendered {
  readonly text: string;
  /** Bytes that it may come to. */
  readonly least: number;
  readonly most: number;
  readonly bounds: readonly Bound[];
}

const PREFIXES = new Set('rep repe repz repne repnz lock data16 addr32 rex64 notrack'.split(' '));
const LONGEST_INSTRUCTION = 15;
const INT32 = { least: -(1n << 31n), most: (1n << 31n) - 1n };

const SUFFIX_WIDTHS: Readonly<Record<string, number>> = { b: 8, w: 16, l: 32, q: 64 };
const SUFFIXED = /^(?:mov|add|sub|adc|sbb|and|or|xor|cmp|test|imul)([bwlq])$/;
const UNSUFFIXED = /^(?:mov|add|sub|adc|sbb|and|or|xor|cmp|test|inc|dec|neg|not|i?mul|i?div|(?:sh|sa|ro|rc)[lr])$/;
const UNSUFFIXED_STRING = /^(?:mov|cmp|sto|lod|sca|in|out)s$/;
const BYTE_IMMEDIATE = /^(?:int|in[bwl]?|out[bwl]?|(?:sh|sa|ro|rc)[lr][bwlq]?|sh[lr]d[wlq]?|bt[crs]?[wlq]?)$/;
const BRANCH = /^(?:j|call|loop|xbegin)/;
const REPEATABLE = /^(?:(?:movs|stos|lods|scas|cmps|ins|outs)[bwlqd]?|retq?|nop)$/;
const LOCKABLE = /^(?:adc|add|and|bt[crs]|cmpxchg(?:8b|16b)?|dec|inc|neg|not|or|sbb|sub|xadd|xchg|xor)[bwlq]?$/;
/** Of these Keystone makes the bytes, though they do not exist in 64-bit mode. */
const NOT_IN_64_BIT_MODE = new Set(['into', 'salc']);

type Immediate = Extract<Operand, { kind: 'immediate' }>;

interface Range {
  readonly least: bigint;
  readonly most: bigint;
}

/** What fits a field of some bits, signed or not. */
const field = (bits: bigint): Range => ({ least: -(1n << (bits - 1n)), most: (1n << bits) - 1n });

/** The values an immediate operand may have; undefined where the encoding itself decides. */
function immediateRange(mnemonic: string, operands: readonly Operand[], operand: Immediate): Range | undefined {
  if (/^push[ql]?$/.test(mnemonic)) return INT32;
  if (BYTE_IMMEDIATE.test(mnemonic) || (mnemonic === 'enter' && operand !== operands[0])) return field(8n);
  if (/^(?:l?retq?|enter|pushw)$/.test(mnemonic)) return field(16n);
  const last = operands.at(-1);
  const suffix = SUFFIXED.exec(mnemonic)?.[1];
  const width = last?.kind === 'register' ? registerWidth(last.register) : SUFFIX_WIDTHS[suffix ?? ''];
  if (width === undefined) return undefined;
  if (width === 64) {
    // mov into a register has a 64-bit form. Keystone chooses it for mov, and for movq if the value is a number that
    // needs it.
    const wide = isConstant(operand.value) ? /^mov(?:q|abs|absq)?$/ : /^mov(?:abs|absq)?$/;
    return wide.test(mnemonic) && last?.kind === 'register' ? undefined : INT32;
  }
  return field(width > 64 ? 8n : BigInt(width));
}

/** The values from 2^63 on are how a negative number may be written: 0xfffffffffffffff0 is -16. */
const signed = (value: bigint) => (value >= 1n << 63n ? BigInt.asIntN(64, value) : value);

// Keystone cuts what does not fit to size, without a word.
function checkRange(value: bigint, range: Range, what: string): void {
  const { least, most } = range;
  const meant = range === INT32 ? signed(value) : value;
  if (meant < least || meant > most) throw new Fault(`${what} ${value} is not within ${least} to ${most}`, `${value}`);
}

function immediateBounds(mnemonic: string, operands: readonly Operand[], operand: Operand): Bound[] {
  if (operand.kind !== 'immediate') return [];
  const { value } = operand;
  const range = immediateRange(mnemonic, operands, operand);
  if (!range) return [];
  if (!isConstant(value)) return [{ value, ...range, reason: 'the immediate operand' }];
  checkRange(value.constant, range, 'the immediate operand');
  return [];
}

/** Keystone checks neither a displacement nor the target of a jump that is 2 GiB away or more. */
function memoryBounds(mnemonic: string, operand: Operand): Bound[] {
  if (operand.kind !== 'memory' || !operand.displacement || mnemonic.startsWith('movabs')) return [];
  const { displacement, registers, literal } = operand;
  const relative = registers?.base === 'rip' || registers?.base === 'eip';
  const what = registers ? 'the displacement' : 'the address';
  if (!isConstant(displacement)) {
    const least = relative || isTarget(mnemonic, operand) ? 0n : INT32.least;
    return [{ value: displacement, least, most: INT32.most, reason: relative ? 'the address' : what }];
  }
  if (relative && !literal) {
    throw new Fault('a number has no distance from rip: only a label or a symbol from outside can be used with (%rip)');
  }
  checkRange(displacement.constant, INT32, what);
  return [];
}

function isTarget(mnemonic: string, operand: Operand): boolean {
  return BRANCH.test(mnemonic) && !operand.indirect;
}

function checkMnemonic(mnemonic: string, prefixes: readonly string[], operands: readonly Operand[]): void {
  if (NOT_IN_64_BIT_MODE.has(mnemonic)) throw new Fault(`"${mnemonic}" does not exist in 64-bit mode`, mnemonic);
  // Keystone reads this as movq, which copies half of a register.
  if (mnemonic === 'mov' && operands.some((operand) => operand.kind === 'register' && /mm/.test(operand.register))) {
    throw new Fault('"mov" does not go with vector registers: write movq, movaps or movdqu', mnemonic);
  }
  const memory = operands.some(({ kind }) => kind === 'memory');
  const sized = operands.some((operand, at) => {
    const isCount = at === 0 && operands.length > 1 && /^(?:sh|sa|ro|rc)/.test(mnemonic);
    return operand.kind === 'register' && !isCount;
  });
  if (!sized && (UNSUFFIXED_STRING.test(mnemonic) || (memory && UNSUFFIXED.test(mnemonic)))) {
    throw new Fault(`"${mnemonic}" needs a suffix here, as no register tells the size: b, w, l or q`, mnemonic);
  }
  // Keystone puts any prefix in front of anything; the processor refuses most of that.
  const repeat = prefixes.find((prefix) => prefix.startsWith('rep'));
  if (repeat !== undefined && !REPEATABLE.test(mnemonic)) {
    throw new Fault(`"${repeat}" does not go with "${mnemonic}"`, repeat);
  }
  if (prefixes.includes('lock') && (!LOCKABLE.test(mnemonic) || operands.at(-1)?.kind !== 'memory')) {
    throw new Fault(`"lock" goes only with an instruction that changes memory, not this "${mnemonic}"`, 'lock');
  }
}

/** Renders an instruction for Keystone. @throws Fault for what can be seen to be wrong without it */
export function renderInstruction(statement: Statement & { kind: 'instruction' }, lookup: Lookup): Rendered {
  const { tokens } = statement;
  const prefixes: string[] = [];
  let at = 0;
  const word = () => {
    const token = tokens[at++];
    if (token?.kind !== 'name') throw new Fault(`an instruction is expected instead of "${statement.text}"`);
    return token.text.toLowerCase();
  };
  let mnemonic = word();
  while (PREFIXES.has(mnemonic) && at < tokens.length) {
    prefixes.push(mnemonic);
    mnemonic = word();
  }
  const operands = splitAtCommas(tokens.slice(at)).map((part) => parseOperand(part, lookup));
  checkMnemonic(mnemonic, prefixes, operands);
  const bounds = operands.flatMap((operand) => [
    ...immediateBounds(mnemonic, operands, operand),
    ...memoryBounds(mnemonic, operand),
  ]);
  const rest = operands
    .map((operand) => renderOperand(operand, mnemonic.startsWith('movabs') || isTarget(mnemonic, operand)))
    .join(', ');
  const known = prefixes.filter((prefix) => prefix !== 'notrack');
  // Keystone does not know this prefix, which is that of the segment ds.
  const notrack = known.length < prefixes.length ? '.byte 0x3e\n' : '';
  return { text: `${notrack}${[...known, mnemonic].join(' ')} ${rest}`, least: 1, most: LONGEST_INSTRUCTION, bounds };
}
