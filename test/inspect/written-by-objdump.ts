/** Who writes what, by GNU objdump's text of each instruction and registers recorded in single steps: for {@link Recording}. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Image } from '../../asm/image.js';
import { REGISTER_FILE } from '../../emu/registers.js';

/** Bytes of a register by its number in REGISTER_FILE, or of an SSE register by its name, or of memory. */
export interface Span {
  readonly space: string;
  readonly start: number;
  readonly size: number;
}

export interface Listed {
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly repeats: boolean;
  readonly length: number;
}

/** By address, what objdump makes of an image's code. */
export function listing(images: readonly Image[]): Map<number, Listed> {
  const found = new Map<number, Listed>();
  const folder = mkdtempSync(join(tmpdir(), 'millscope-'));
  try {
    for (const image of images) {
      const text = image.sections.find(({ name }) => name === '.text');
      if (text === undefined) continue;
      const path = join(folder, 'text.bin');
      writeFileSync(path, text.bytes);
      const options = ['-D', '-b', 'binary', '-m', 'i386:x86-64', '-M', 'suffix', '-w', `--adjust-vma=${text.address}`];
      const lines = execFileSync('objdump', [...options, path], { encoding: 'utf8', maxBuffer: 64 << 20 }).split('\n');
      for (const line of lines) {
        const [, address, bytes, code] = /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t(.*)$/.exec(line) ?? [];
        if (address !== undefined) found.set(Number.parseInt(address, 16), read(code, bytes.trim().split(' ').length));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return found;
}

function read(code: string, length: number): Listed {
  const words = code.replace(/\s*(#|<).*$/, '').trim();
  const [, prefixes, mnemonic, rest] = /^((?:(?:rep[nz]*|lock|data16|cs|notrack|bnd) )*)(\S+)\s*(.*)$/.exec(words) ?? [
    '',
    '',
    words,
    '',
  ];
  return {
    mnemonic,
    operands: rest === '' ? [] : rest.split(/,(?![^(]*\))/),
    repeats: prefixes.startsWith('rep'),
    length,
  };
}

const OLD = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];

/** What an instruction says when it names a register as its destination: with 32 bits it is all of it. */
function register(name: string): Span | undefined {
  const bare = name.replace(/^%/, '');
  if (bare.startsWith('xmm')) return { space: bare, start: 0, size: 16 };
  const old = OLD.findIndex((one) => new RegExp(`^[re]?${one}$`).test(bare));
  if (old >= 0) return span(old, 0, bare.startsWith('r') || bare.startsWith('e') ? 8 : 2);
  const byte = OLD.findIndex((one) => bare === `${one}l` || (one.endsWith('x') && bare === `${one[0]}l`));
  if (byte >= 0) return span(byte, 0, 1);
  const high = ['ah', 'ch', 'dh', 'bh'].indexOf(bare);
  if (high >= 0) return span(high, 1, 1);
  const [, number, suffix] = /^r(\d+)([dwb]?)$/.exec(bare) ?? [];
  if (number === undefined) return undefined;
  return span(Number(number), 0, suffix === 'w' ? 2 : suffix === 'b' ? 1 : 8);
}

const span = (index: number, start: number, size: number): Span => ({ space: REGISTER_FILE[index], start, size });
const whole = (name: string): Span => ({ space: name, start: 0, size: 8 });

/** Whether a condition holds, by its letters; AMD64 manual, volume 3, table of condition codes. */
function holds(condition: string, flags: bigint): boolean {
  const bit = (index: number): boolean => ((flags >> BigInt(index)) & 1n) === 1n;
  const [carry, parity, zero, sign, overflow] = [0, 2, 6, 7, 11].map(bit);
  if (condition.startsWith('n') && condition !== 'n') return !holds(condition.slice(1), flags);
  const table: Record<string, boolean> = {
    o: overflow,
    b: carry,
    c: carry,
    ae: !carry,
    e: zero,
    z: zero,
    be: carry || zero,
    a: !(carry || zero),
    s: sign,
    p: parity,
    l: sign !== overflow,
    ge: sign === overflow,
    le: zero || sign !== overflow,
    g: !(zero || sign !== overflow),
  };
  if (table[condition] === undefined) throw new Error(`no condition ${condition}`);
  return table[condition];
}

const NO_REGISTER = /^(cmp|test|bt[wlq]?$|push|j|call|ret|nop|ud2|u?comis|f|syscall|endbr|leave|hlt|prefetch)/;
const SIZES: Record<string, number> = { b: 1, w: 2, l: 4, q: 8 };

/**
 * What one instruction wrote.
 * @param value a general register, or eflags, in front of it
 */
export function writtenBy(
  { mnemonic, operands, repeats, length }: Listed,
  address: number,
  value: (name: string) => bigint,
  fsBase: bigint,
): Span[] {
  const last = operands.at(-1) ?? '';
  const effective = (operand: string): number => {
    const [, segment, shift, base, index, scale] =
      /^(?:%(\ws):)?(-?0x[0-9a-f]+|-?\d+)?(?:\((%\w+)?(?:,(%\w+),(\d))?\))?$/.exec(operand) ?? [];
    const number = (shift ?? '0').startsWith('-') ? -BigInt((shift ?? '').slice(1)) : BigInt(shift ?? '0');
    const of = (name: string | undefined): bigint =>
      name === undefined ? 0n : name === '%rip' ? BigInt(address + length) : value(register(name)?.space ?? name);
    const sum = number + of(base) + of(index) * BigInt(scale ?? '1') + (segment === 'fs' ? fsBase : 0n);
    return Number(BigInt.asUintN(64, sum));
  };
  const memory = (start: number, size: number): Span => ({ space: 'memory', start, size });
  const rsp = Number(value('rsp'));
  if (/^(movs|stos|lods|scas|cmps)[bwlq]$/.test(mnemonic) && /%[ed]s:/.test(operands.join())) {
    const size = SIZES[mnemonic.slice(-1)];
    const count = repeats ? Number(value('rcx')) : 1;
    if (count === 0) return [];
    const moved = mnemonic.startsWith('movs') ? [whole('rdi'), whole('rsi')] : [whole('rdi')];
    if (/^(lods|scas|cmps)/.test(mnemonic)) throw new Error(`${mnemonic} is not known here`);
    return [...moved, ...(repeats ? [whole('rcx')] : []), memory(Number(value('rdi')), count * size)];
  }
  if (mnemonic.startsWith('push')) return [whole('rsp'), memory(rsp - 8, 8)];
  if (mnemonic.startsWith('call')) return [whole('rsp'), memory(rsp - 8, 8)];
  if (mnemonic.startsWith('ret')) return [whole('rsp')];
  if (mnemonic.startsWith('leave')) return [whole('rsp'), whole('rbp')];
  if (mnemonic === 'syscall') return [whole('rax')];
  if (/^(cqto|cltd)$/.test(mnemonic)) return [whole('rdx')];
  if (/^(cltq|cwtl)$/.test(mnemonic)) return [whole('rax')];
  if (/^(mul|imul|div|idiv)[wlq]$/.test(mnemonic) && operands.length === 1) return [whole('rax'), whole('rdx')];
  if (/^x(chg|add)/.test(mnemonic)) {
    return operands.map((one) => register(one) ?? memory(effective(one), SIZES[mnemonic.slice(-1)] ?? 8));
  }
  const [, condition] = /^cmov(\w+?)[wlq]?$/.exec(mnemonic) ?? [];
  if (condition !== undefined) {
    const suffixed = /^cmov(\w+)[wlq]$/.exec(mnemonic)?.[1] ?? condition;
    const wide = register(last);
    const size = mnemonic.endsWith('l') ? 4 : 8;
    const clears = size === 4 && value(wide?.space ?? '') >> 32n !== 0n;
    return wide !== undefined && (holds(suffixed, value('eflags')) || clears) ? [wide] : [];
  }
  const spans: Span[] = mnemonic.startsWith('pop') ? [whole('rsp')] : [];
  if (/^(fst|fist|fnst|stmxcsr)/.test(mnemonic)) {
    const size = mnemonic.endsWith('t')
      ? 10
      : mnemonic.endsWith('ll')
        ? 8
        : mnemonic.endsWith('s')
          ? 4
          : mnemonic.endsWith('w')
            ? 2
            : 8;
    return last.startsWith('%') ? [] : [memory(effective(last), size)];
  }
  if (NO_REGISTER.test(mnemonic)) return spans;
  const target = register(last);
  if (target !== undefined) return [...spans, target];
  if (last === '' || last.startsWith('%') || last.startsWith('$') || mnemonic.startsWith('lea')) return spans;
  const source = operands.length > 1 ? register(operands[0]) : undefined;
  const vector = source?.space.startsWith('xmm') === true;
  const size = vector
    ? /^mov([aun]|nt|dq)/.test(mnemonic)
      ? 16
      : /^mov(ss|d)/.test(mnemonic)
        ? 4
        : 8
    : mnemonic.startsWith('set')
      ? 1
      : SIZES[mnemonic.slice(-1)];
  if (size === undefined) throw new Error(`what ${mnemonic} ${operands.join()} writes is not known here`);
  return [...spans, memory(effective(last), size)];
}

export function share(one: Span, other: Span): boolean {
  return one.space === other.space && one.start < other.start + other.size && other.start < one.start + one.size;
}
