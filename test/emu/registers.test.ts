import { expect, test } from 'vitest';
import { GENERAL_REGISTERS, REGISTERS, registerWidth, VECTOR_REGISTERS } from '../../emu/registers.js';
import { CODE, DATA, END, openBare, openText } from './guest.js';

test('registers start as in a process: all zero but MXCSR, the x87 control word, and EFLAGS bit 1', () => {
  const { mxcsr, fpcw, eflags, fptag, ...others } = openBare().readAll();
  // System V ABI, AMD64 supplement, table 3.4 in section 3.4.1
  expect([mxcsr, fpcw, eflags]).toEqual([0x1f80n, 0x37fn, 2n]);
  expect(fptag, 'no x87 register is in use').toBe(0xffffn);
  // Intel SDM, volume 3, 9.1.1: nothing of ring 0 may be left behind
  for (const [name, value] of Object.entries(others)) {
    if (name === 'rip') continue;
    expect(value, name).toBe(0n);
  }
});

test('each register keeps what is written, in its full width, apart from all others', () => {
  const cpu = openBare();
  const names = [...GENERAL_REGISTERS, ...VECTOR_REGISTERS, 'fs_base', 'gs_base'] as const;
  const value = (index: number, width: number): bigint =>
    BigInt.asUintN(width, 0xf123456789abcdef_0fedcba987654321n * BigInt(index * 2 + 1));
  names.forEach((name, index) => {
    cpu.write(name, value(index, registerWidth(name) === 64 ? 47 : 128));
  });
  cpu.write('r9', 0xffffffffffffffffn);
  names.forEach((name, index) => {
    const expected = name === 'r9' ? 0xffffffffffffffffn : value(index, registerWidth(name) === 64 ? 47 : 128);
    expect(cpu.read(name), name).toBe(expected);
  });
  expect(cpu.pointer(9), 'an address too high for a number faults').toBeGreaterThan(2 ** 63);
  expect(cpu.low(9)).toBe(0xffffffff);
});

test('all at once they are what they are one by one, behind each instruction', async () => {
  const cpu = await openText(`mov $-1, %rax\nadd $1, %rax\nsbb %r15, %r15\nmov $7, %r8d\nshl $61, %r8\n${END}`);
  const together = new BigUint64Array(18);
  const seen: bigint[][] = [];
  cpu.step(5, () => {
    cpu.readInto(together);
    expect([...together]).toEqual(REGISTERS.slice(0, 18).map((name) => cpu.read(name)));
    seen.push([together[0], together[8], together[15], together[17]]);
  });
  // By hand (Intel SDM, volume 2): CF PF ZF behind the addition, CF PF SF behind sbb, PF SF behind the shift
  expect(seen.map(([rax, r8, r15]) => [rax, r8, r15])).toEqual([
    [2n ** 64n - 1n, 0n, 0n],
    [0n, 0n, 0n],
    [0n, 0n, 2n ** 64n - 1n],
    [0n, 7n, 2n ** 64n - 1n],
    [0n, 7n << 61n, 2n ** 64n - 1n],
  ]);
  // AF, bit 4, is undefined behind a shift
  expect(seen.map(([, , , flags]) => flags & 0xefn)).toEqual([0x2n, 0x47n, 0x87n, 0x87n, 0x86n]);
});

test('the names are those of the processor, each once', () => {
  expect(new Set(REGISTERS).size).toBe(REGISTERS.length);
  expect(GENERAL_REGISTERS.join(' ')).toBe('rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15');
});

test('the guest sees every register that the host has set', async () => {
  const stores = GENERAL_REGISTERS.map((name, index) => `mov %${name}, ${DATA + index * 8}\n`).join('');
  const vectors = VECTOR_REGISTERS.map((name, index) => `movups %${name}, ${DATA + 256 + index * 16}\n`).join('');
  const rest = `stmxcsr ${DATA + 1024}\nfnstcw ${DATA + 1032}\nmov %fs:8, %rax\nmov %gs:-8, %rdx\n`;
  const cpu = await openText(stores + vectors + rest + END);
  GENERAL_REGISTERS.forEach((name, index) => {
    cpu.write(name, 0x8000000000000000n + BigInt(index));
  });
  VECTOR_REGISTERS.forEach((name, index) => {
    cpu.write(name, (0xabcdn << 112n) + BigInt(index));
  });
  cpu.write('mxcsr', 0x7f80n);
  cpu.write('fpcw', 0xe7fn);
  cpu.write('fs_base', BigInt(CODE - 8));
  cpu.write('gs_base', BigInt(CODE + 8));
  cpu.run(36);
  GENERAL_REGISTERS.forEach((name, index) => {
    expect(cpu.memory.u64(DATA + index * 8), name).toBe(0x8000000000000000n + BigInt(index));
  });
  VECTOR_REGISTERS.forEach((name, index) => {
    expect(cpu.memory.u64(DATA + 256 + index * 16), name).toBe(BigInt(index));
    expect(cpu.memory.u64(DATA + 264 + index * 16), name).toBe(0xabcd000000000000n);
  });
  expect(cpu.memory.u32(DATA + 1024)).toBe(0x7f80);
  expect(cpu.memory.u32(DATA + 1032)).toBe(0xe7f);
  expect([cpu.read('rax'), cpu.read('rdx')]).toEqual([cpu.memory.u64(CODE), cpu.memory.u64(CODE)]);
});

test('rounding follows MXCSR and the x87 control word that the host has set', async () => {
  // 1/3 in binary is 0.0101…: to nearest it ends in …ab (float), towards plus infinity too; towards minus in …aa.
  const text = `mov $1, %eax\ncvtsi2ss %eax, %xmm0\nmov $3, %eax\ncvtsi2ss %eax, %xmm1\ndivss %xmm1, %xmm0\n
    movss %xmm0, ${DATA}\nfld1\nfidivl three(%rip)\nfstps ${DATA + 4}\n${END}\n.data\nthree: .long 3`;
  const results: number[][] = [];
  for (const [mxcsr, fpcw] of [
    [0x1f80n, 0x37fn],
    [0x3f80n, 0x77fn],
  ] as const) {
    const cpu = await openText(text);
    cpu.write('mxcsr', mxcsr);
    cpu.write('fpcw', fpcw);
    cpu.run();
    results.push([cpu.memory.u32(DATA), cpu.memory.u32(DATA + 4)]);
  }
  expect(results).toEqual([
    [0x3eaaaaab, 0x3eaaaaab],
    [0x3eaaaaaa, 0x3eaaaaaa],
  ]);
});

test('rax as the result of a hypercall holds numbers above 32 bits, and clears what was there', async () => {
  const cpu = await openText(`mov $-1, %rax\nsyscall\nmov %rax, ${DATA}\n${END}`);
  cpu.onHypercall = () => {
    if (cpu.low(0) === 99) cpu.stop();
    else cpu.setRax(2 ** 52 + 2 ** 31 + 5);
  };
  cpu.run();
  expect(cpu.memory.u64(DATA)).toBe(2n ** 52n + 2n ** 31n + 5n);
});

test('the trap flag of stepping is not seen, by the host or by pushf', async () => {
  const cpu = await openText(`stc\npushf\npop %rbx\npushfw\npopw %cx\n${END}`);
  cpu.write('rcx', 0n);
  const seen: bigint[] = [];
  cpu.step(100, () => seen.push(cpu.read('eflags') & 0x100n));
  expect(seen).not.toContain(0x100n);
  expect([cpu.read('rbx') & 0x1ffn, cpu.read('rcx') & 0x1ffn]).toEqual([3n, 3n]);
});
