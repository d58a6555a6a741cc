import { type Capstone, loadCapstone } from './capstone.js';
import { type Operand, readOperands } from './operand.js';
import { type RegisterPart, registerPart } from './register-parts.js';

/** What an instruction does to registers, whatever is in them. */
export interface RegisterUse {
  /** Intel's name, without prefixes: `mov`, `movsq`. */
  readonly name: string;
  /** `rep`, `repe` or `repne` of a string instruction. */
  readonly repeats: boolean;
  /** The destination first. */
  readonly operands: readonly Operand[];
  readonly reads: readonly RegisterPart[];
  /**
   * What is written, if only with the value that is there already. A write of the lower half of a general register
   * clears its upper half (Intel SDM, volume 1, 3.4.1.1), and is a write of all of it.
   */
  readonly writes: readonly RegisterPart[];
  /** In bytes. */
  readonly length: number;
}

const LONGEST = 15;
const PREFIX = /^(?:(rep|repe|repz|repne|repnz|lock|xacquire|xrelease|notrack|bnd|data16) )+/;
/** Of 128 bits, the two halves, and the parts that scalar instructions write. */
const LOW_HALF = { offset: 0, size: 8 };
const HIGH_HALF = { offset: 8, size: 8 };
const SINGLE = { offset: 0, size: 4 };
const ALL = { offset: 0, size: 16 };

/** SSE instructions that leave bytes of the register that they write as they are. */
const PARTIAL: Readonly<Record<string, typeof ALL>> = {
  movhps: HIGH_HALF,
  movhpd: HIGH_HALF,
  movlhps: HIGH_HALF,
  movlps: LOW_HALF,
  movlpd: LOW_HALF,
  movhlps: LOW_HALF,
  cvtpi2ps: LOW_HALF,
  pinsrq: ALL,
};
/** Scalar arithmetic and conversions: of the register the lowest number only. */
const SCALAR_DOUBLE = /^(add|sub|mul|div|min|max|sqrt|round|cmp|cvtsi2|cvtss2)sd$/;
const SCALAR_SINGLE = /^(add|sub|mul|div|min|max|sqrt|rsqrt|rcp|round|cmp|cvtsi2|cvtsd2)ss$/;

/**
 * Where Capstone 5 is silent, or says too much: what is written besides the operands, and what is not.
 * Each is held against a processor's manual (Intel SDM, volume 2) and, where programs use it, against the machine itself.
 */
const CORRECTIONS: Readonly<Record<string, { readonly writes?: readonly string[]; readonly not?: readonly string[] }>> =
  {
    cwd: { not: ['rax'] },
    cdq: { not: ['rax'] },
    cqo: { not: ['rax'] },
    enter: { writes: ['rsp', 'rbp'] },
    xlatb: { writes: ['al'] },
    syscall: { writes: ['rax'] },
    xadd: { writes: ['eflags'] },
    cmpxchg: { writes: ['eflags'] },
  };

/**
 * Which registers instructions of 64-bit mode read and write, from Capstone's tables. Close it after use, as a
 * disassembler. A `syscall` is one of this machine's: it writes rax and no other register.
 */
export class RegisterUses {
  readonly #capstone: Capstone;
  readonly #names = new Map<number, RegisterPart | undefined>();
  readonly #cache = new Map<bigint, RegisterUse | undefined>();

  private constructor(capstone: Capstone) {
    this.#capstone = capstone;
  }

  /** Loads Capstone. @throws Error if it does not load */
  static async load(): Promise<RegisterUses> {
    const module = await loadCapstone();
    const capstone = new module.Capstone(module.ARCH_X86, module.MODE_64);
    capstone.option(module.OPT_DETAIL, module.OPT_ON);
    return new RegisterUses(capstone);
  }

  /**
   * The instruction that `bytes` begins with; undefined if they are none. What was found for an address is kept: it is
   * to hold the same code always, as no page of a guest is both writable and executable.
   */
  at(address: bigint, bytes: () => Uint8Array): RegisterUse | undefined {
    if (this.#cache.has(address)) return this.#cache.get(address);
    const use = this.#read(bytes().subarray(0, LONGEST), address);
    this.#cache.set(address, use);
    return use;
  }

  close(): void {
    this.#capstone.close();
  }

  #read(bytes: Uint8Array, address: bigint): RegisterUse | undefined {
    let use: RegisterUse | undefined;
    this.#capstone.disasm_iter(bytes, address, ({ mnemonic, op_str, size: length }, pointer) => {
      const prefix = PREFIX.exec(mnemonic)?.[0] ?? '';
      const name = mnemonic.slice(prefix.length);
      const operands = readOperands(op_str);
      const { regs_read, regs_write } = this.#capstone.regs_access(pointer);
      const writes = regs_write.flatMap((number) => this.#part(number) ?? []);
      use = {
        name,
        repeats: prefix.startsWith('rep') && /^(movs|stos|lods|cmps|scas)/.test(name),
        operands,
        reads: unique(regs_read.flatMap((number) => this.#part(number) ?? [])),
        writes: unique([...writes, ...unsaid(name, operands)].flatMap((part) => written(part, name, operands))),
        length,
      };
      return false;
    });
    return use;
  }

  #part(number: number): RegisterPart | undefined {
    if (!this.#names.has(number)) this.#names.set(number, registerPart(this.#capstone.reg_name(number)));
    return this.#names.get(number);
  }
}

/** What Capstone does not say is written. */
function unsaid(name: string, operands: readonly Operand[]): RegisterPart[] {
  const extra = (CORRECTIONS[name]?.writes ?? []).flatMap((one) => registerPart(one) ?? []);
  const rsp = registerPart('rsp');
  if (/^(push|pop)/.test(name) && rsp !== undefined) extra.push(rsp);
  if (name !== 'cmpxchg') return extra;
  // The accumulator if the two differ, the destination if not.
  const [target, source] = operands;
  if (target?.kind === 'register') extra.push(target.part);
  if (source?.kind === 'register') extra.push({ register: 'rax', offset: 0, size: source.part.size });
  return extra;
}

/** The bytes of a register that an instruction writes, from what it names. */
function written(part: RegisterPart, name: string, operands: readonly Operand[]): RegisterPart[] {
  const { register, size } = part;
  if (CORRECTIONS[name]?.not?.includes(register) === true) return [];
  if (register.startsWith('xmm')) return [{ register, ...vectorBytes(name, operands) }];
  return size === 4 && register !== 'eflags' ? [{ register, offset: 0, size: 8 }] : [part];
}

function vectorBytes(name: string, operands: readonly Operand[]): typeof ALL {
  const fromRegister = operands[1]?.kind === 'register';
  if (name === 'movss') return fromRegister ? SINGLE : ALL;
  if (name === 'movsd') return fromRegister ? LOW_HALF : ALL;
  if (SCALAR_DOUBLE.test(name)) return LOW_HALF;
  if (SCALAR_SINGLE.test(name)) return SINGLE;
  return PARTIAL[name] ?? ALL;
}

/** Without what is part of another. */
function unique(parts: readonly RegisterPart[]): RegisterPart[] {
  const within = (one: RegisterPart, other: RegisterPart): boolean =>
    one.register === other.register && one.offset >= other.offset && one.offset + one.size <= other.offset + other.size;
  return parts.filter(
    (part, index) => !parts.some((other, at) => within(part, other) && (!within(other, part) || at < index)),
  );
}
