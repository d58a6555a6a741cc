/**
 * Switches that nobody here has written, from Debian's packages. What is expected was read in their disassembly
 * (objdump -d) and documentation, for the versions of Debian 12: glibc 2.36, musl 1.2.3, Boost 1.74, libpcl 1.12.
 */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check } from '../../../inspect/contract/check.js';
import type { Clause } from '../../../inspect/contract/clauses.js';
import { millscope } from '../command.js';
import { folder, layout, measured, short } from './measuring.js';

const LIB = '/usr/lib/x86_64-linux-gnu';
const GLIBC = `${LIB}/libc.a`;
const MUSL = '/usr/lib/x86_64-linux-musl/libc.a';
const BOOST = `${LIB}/libboost_context.a`;
const PCL = `${LIB}/libpcl.a`;
const TBOX = `${LIB}/libtbox.a`;

/** The ids of the clauses with a verdict. */
function withVerdict(clauses: readonly Clause[], verdict: Clause['verdict']): string[] {
  return clauses.filter((clause) => clause.verdict === verdict).map(({ id }) => id);
}

async function clauses(paths: readonly string[], options: Parameters<typeof measured>[1]): Promise<Clause[]> {
  const [measurement] = await measured(paths, options);
  return check(measurement, []);
}

const KEPT = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', 'rsp', 'rip'];

/** A golden file made of a library is equal to it, and not to another symbol's. */
function roundTrip(name: string, args: readonly string[]): void {
  const golden = `${folder}/${name}.json`;
  expect(millscope(['layout', ...args, '--write', golden])).toMatchObject({ status: 0, stderr: '' });
  expect(millscope(['layout', ...args, '--golden', golden])).toMatchObject({ status: 0, stderr: '' });
}

describe.skipIf(!existsSync(MUSL))("musl's setjmp and longjmp", () => {
  const options = { save: 'setjmp', restore: 'longjmp' };

  it('keep eight words in the order of the registers, in plain', async () => {
    expect(short(await layout([MUSL], options))).toEqual([
      '0:8 rbx > rbx',
      '8:8 rbp > rbp',
      '16:8 r12 > r12',
      '24:8 r13 > r13',
      '32:8 r14 > r14',
      '40:8 r15 > r15',
      '48:8 rsp > rsp',
      '56:8 rip > rip',
    ]);
  });

  it('keep what a function has to keep, but for both control words', async () => {
    const found = await clauses([MUSL], options);
    expect(withVerdict(found, 'kept')).toEqual([...KEPT, 'return-value', 'df', 'memory']);
    expect(withVerdict(found, 'lost')).toEqual(['mxcsr', 'x87', 'shadow-stack']);
    expect(withVerdict(found, 'saved beyond need')).toEqual([]);
  });

  it('are equal to a golden file made of them', () => {
    roundTrip('musl', [MUSL, '--save', 'setjmp', '--restore', 'longjmp']);
  });
});

describe.skipIf(!existsSync(GLIBC))("glibc's setjmp and longjmp", () => {
  const options = { save: '_setjmp', restore: '__longjmp' };
  const mangled = 'rol(x ^ fs:0x30, 17)';

  it('mangle rbp, rsp and the return address with fs:0x30, and nothing else', async () => {
    expect(short(await layout([GLIBC], options))).toEqual([
      '0:8 rbx > rbx',
      `8:8 rbp as ${mangled} > rbp + r9`,
      '16:8 r12 > r12',
      '24:8 r13 > r13',
      '32:8 r14 > r14',
      '40:8 r15 > r15',
      `48:8 rsp as ${mangled} > rsp + r8`,
      `56:8 rip as ${mangled} > rip + rdx`,
      // __mask_was_saved, which longjmp looks at and __longjmp does not.
      '64:4 - as 0x0 > -',
    ]);
  });

  it('keep what a function has to keep, but for both control words', async () => {
    const found = await clauses([GLIBC], options);
    expect(withVerdict(found, 'kept')).toEqual([...KEPT, 'return-value', 'df', 'memory']);
    expect(withVerdict(found, 'lost')).toEqual(['mxcsr', 'x87', 'shadow-stack']);
  });
});

describe.skipIf(!existsSync(GLIBC))("glibc's swapcontext", () => {
  const options = { switch: 'swapcontext' };

  it('keeps a ucontext_t: registers at their places in gregset_t, the signal mask, the x87 environment', async () => {
    // Offsets of uc_mcontext.gregs (40), uc_sigmask (296) and __fpregs_mem (424) in <sys/ucontext.h>.
    const { slots } = await layout([GLIBC], options);
    const places = Object.fromEntries(slots.flatMap(({ saved, offset }) => (saved === null ? [] : [[saved, offset]])));
    expect(places).toEqual({
      r8: 40,
      r9: 48,
      r12: 72,
      r13: 80,
      r14: 88,
      r15: 96,
      rdi: 104,
      rsi: 112,
      rbp: 120,
      rbx: 128,
      rdx: 136,
      rcx: 152,
      rsp: 160,
      rip: 168,
      sigmask: 296,
      fpcw: 424,
      mxcsr: 448,
    });
    for (const slot of slots) if (slot.saved !== null) expect(slot.restored).toBe(slot.saved);
    expect(slots.find(({ offset }) => offset === 224)?.as).toBe('address of ctx+424');
  });

  it('keeps the control words, and six registers beyond need', async () => {
    const found = await clauses([GLIBC], options);
    expect(withVerdict(found, 'kept')).toEqual([...KEPT, 'mxcsr', 'x87', 'df', 'memory']);
    expect(withVerdict(found, 'lost')).toEqual(['shadow-stack']);
    expect(withVerdict(found, 'saved beyond need').sort()).toEqual(['r8', 'r9', 'rcx', 'rdi', 'rdx', 'rsi']);
  });
});

describe.skipIf(!existsSync(BOOST))("Boost.Context's jump_fcontext", () => {
  const options = { switch: 'jump_fcontext' };

  it('keeps everything on the stack, and its context is the stack pointer', async () => {
    const found = await layout([BOOST], options);
    // The drawing in jump_x86_64_sysv_elf_gas.S, in words of 4 bytes.
    expect(short(found)).toEqual([
      'stack+0:4 mxcsr > mxcsr',
      'stack+4:2 fpcw > fpcw',
      'stack+8:8 r12 > r12',
      'stack+16:8 r13 > r13',
      'stack+24:8 r14 > r14',
      'stack+32:8 r15 > r15',
      'stack+40:8 rbx > rbx',
      'stack+48:8 rbp > rbp',
      'stack+56:8 rip > rip + r8',
    ]);
    expect(found.pointer).toEqual({ above: 64, restored: true });
    expect(found.convention).toMatchObject({ form: 'result', to: 'rdi' });
  });

  it('keeps the whole contract, but for landing pads and shadow stack', async () => {
    const found = await clauses([BOOST], options);
    expect(withVerdict(found, 'kept')).toEqual([...KEPT, 'mxcsr', 'x87', 'df', 'memory']);
    expect(withVerdict(found, 'lost')).toEqual(['landing-pad', 'shadow-stack']);
  });

  it('is equal to a golden file made of it', () => {
    roundTrip('boost', [BOOST, '--switch', 'jump_fcontext']);
  });
});

describe.skipIf(!existsSync(PCL) || !existsSync(GLIBC))("libpcl's co_call", () => {
  const options = { switch: 'co_call', archive: [GLIBC] };

  it("knows itself who runs, and leaves the rest to glibc's swapcontext: what counts is on its stack", async () => {
    const found = await layout([PCL], options);
    expect(found.convention).toMatchObject({ form: 'implicit', to: 'rdi' });
    const lines = short(found);
    expect(lines.slice(-6, -2)).toEqual([
      'stack+0:8 rbx > rbx',
      'stack+8:8 rbp > rbp',
      'stack+16:8 r12 > r12',
      'stack+24:8 rip > rip',
    ]);
    for (const line of ['80:8 r13 > r13', '88:8 r14 > r14', '96:8 r15 > r15']) expect(lines).toContain(line);
    // Three pushes and the return address of its caller.
    expect(lines).toContain('160:8 rsp as -32 > rsp');
  });

  it('keeps what swapcontext keeps', async () => {
    const found = await clauses([PCL], options);
    expect(withVerdict(found, 'kept')).toEqual([...KEPT, 'mxcsr', 'x87', 'df', 'memory']);
    expect(withVerdict(found, 'lost')).toEqual(['shadow-stack']);
  });
});

// TB_CONFIG_MODULE_HAVE_COROUTINE is not defined in Debian's <tbox/tbox.config.h>.
describe.skipIf(!existsSync(TBOX))('tbox, which Debian builds without its coroutines', () => {
  it('has no switch, and that is an error', () => {
    const named = millscope(['layout', TBOX, '--switch', 'tb_context_jump']);
    expect(named).toMatchObject({ status: 2, stdout: '' });
    expect(named.stderr).toMatch(/^millscope: .*tb_context_jump/);
    const unnamed = millscope(['layout', TBOX]);
    expect(unnamed).toMatchObject({ status: 2, stdout: '' });
    expect(unnamed.stderr).toMatch(/^millscope: .*name the switch/);
  });
});
