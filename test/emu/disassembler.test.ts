import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Disassembler } from '../../emu/disassembler.js';

interface FakedModule {
  Capstone: new (...args: number[]) => { close(): void };
}
type Start = (options: object) => Promise<FakedModule>;

const counts = vi.hoisted(() => ({ imports: 0, starts: 0, opened: 0, closed: 0 }));

// The real package, with a count of what is imported, started, opened and closed.
vi.mock('@alexaltea/capstone-js', async (importOriginal) => {
  counts.imports++;
  const { default: start } = await importOriginal<{ default: Start }>();
  const counted: Start = async (options) => {
    counts.starts++;
    const module = await start(options);
    const Original = module.Capstone;
    module.Capstone = class extends Original {
      constructor(...args: number[]) {
        super(...args);
        counts.opened++;
        const close = this.close;
        this.close = () => {
          counts.closed++;
          close.call(this);
        };
      }
    };
    return module;
  };
  return { default: counted };
});

const importsAtStart = counts.imports;

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (digits) => Number.parseInt(digits, 16));
}

describe('disassemble', () => {
  let disassembler: Disassembler;
  beforeEach(async () => {
    disassembler = await Disassembler.load();
  });
  afterEach(() => disassembler.close());

  // The bytes of GNU as; the text by the rules of AT&T syntax.
  test.each([
    ['48 8b 68 08', 'movq 8(%rax), %rbp'],
    ['48 8b 68 f8', 'movq -8(%rax), %rbp'],
    ['8b 40 f6', 'movl -0xa(%rax), %eax'],
    ['8b 80 00 ff ff ff', 'movl -0x100(%rax), %eax'],
    ['48 8b 84 24 34 12 00 00', 'movq 0x1234(%rsp), %rax'],
    ['8d 44 90 f0', 'leal -0x10(%rax, %rdx, 4), %eax'],
    ['48 8b 04 9d 9c ff ff ff', 'movq -0x64(, %rbx, 4), %rax'],
    ['48 8b 05 f8 ff ff ff', 'movq -8(%rip), %rax'],
    ['64 48 8b 04 25 28 00 00 00', 'movq %fs:0x28, %rax'],
    ['83 c0 0a', 'addl $0xa, %eax'],
    ['83 c0 09', 'addl $9, %eax'],
    ['83 e8 ff', 'subl $-1, %eax'],
    ['b0 9c', 'movb $0x9c, %al'],
    ['48 c7 c0 ff ff ff ff', 'movq $0xffffffffffffffff, %rax'],
    ['48 c7 04 24 9c ff ff ff', 'movq $0xffffffffffffff9c, (%rsp)'],
    ['48 b8 00 00 00 00 00 00 00 80', 'movabsq $0x8000000000000000, %rax'],
    ['48 b8 88 77 66 55 44 33 22 11', 'movabsq $0x1122334455667788, %rax'],
    ['48 a1 88 77 66 55 44 33 22 11', 'movabsq 0x1122334455667788, %rax'],
    ['ff e2', 'jmpq *%rdx'],
    ['ff 24 25 10 20 00 00', 'jmpq *0x2010'],
    ['f3 a4', 'rep movsb (%rsi), (%rdi)'],
    ['f3 0f 1e fa', 'endbr64'],
    ['0f 05', 'syscall'],
    ['c3', 'retq'],
    ['c5 fb 58 c1', 'vaddsd %xmm1, %xmm0, %xmm0'],
  ])('writes %s otherwise than AT&T syntax does', (hex, text) => {
    const bytes = bytesOf(hex);
    const disassembly = disassembler.disassemble(bytes, 0x401000n);
    expect(disassembly?.text).toBe(text);
    expect(disassembly?.length).toBe(bytes.length);
  });

  test('mixes mnemonic and operands', () => {
    expect(disassembler.disassemble(bytesOf('f3 a4'), 0n)).toEqual({
      text: 'rep movsb (%rsi), (%rdi)',
      mnemonic: 'rep movsb',
      operands: '(%rsi), (%rdi)',
      length: 2,
    });
    expect(disassembler.disassemble(bytesOf('c3'), 0n)).toEqual({
      text: 'retq',
      mnemonic: 'retq',
      operands: '',
      length: 1,
    });
  });

  test.each([
    ['eb fe', 0x401000n, 'jmp 0x401000'],
    ['e8 00 00 00 00', 0x401000n, 'callq 0x401005'],
    ['0f 84 fb ff ff ff', 0x401000n, 'je 0x401001'],
    ['eb 10', 0x7ffff7fff000n, 'jmp 0x7ffff7fff012'],
    ['e8 fb ff ff ff', 0xffffffff81000000n, 'callq 0xffffffff81000000'],
    ['eb 10', 0x8000000000000001n, 'jmp 0x8000000000000013'],
  ])('writes the target of %s at %i relative, or loses bits of it', (hex, address, text) => {
    expect(disassembler.disassemble(bytesOf(hex), address)?.text).toBe(text);
  });

  test('runs on into the next instruction', () => {
    expect(disassembler.disassemble(bytesOf('90 48 8b 68 08'), 0n)).toMatchObject({ text: 'nop', length: 1 });
    expect(disassembler.disassemble(new Uint8Array(4096).fill(0x90), 1n)).toMatchObject({ text: 'nop', length: 1 });
  });

  test('makes text of bytes that are no instruction', () => {
    expect(disassembler.disassemble(bytesOf('06 90 90'), 0n)).toBeUndefined();
    expect(disassembler.disassemble(bytesOf('48 8b'), 0n)).toBeUndefined();
    expect(disassembler.disassemble(new Uint8Array(), 0n)).toBeUndefined();
    expect(disassembler.disassemble(bytesOf('90'), 0n)?.text).toBe('nop');
  });

  test('disassembles the same instruction again', () => {
    const first = disassembler.disassemble(bytesOf('90 c3'), 0x1000n);
    expect(disassembler.disassemble(bytesOf('90 cc cc'), 0x1000n)).toBe(first);
  });

  test('shows the text of code that has changed', () => {
    const code = bytesOf('b8 01 00 00 00');
    expect(disassembler.disassemble(code, 0x1000n)?.text).toBe('movl $1, %eax');
    code[4] = 0x10;
    expect(disassembler.disassemble(code, 0x1000n)?.text).toBe('movl $0x10000001, %eax');
    expect(disassembler.disassemble(code.subarray(0, 4), 0x1000n)).toBeUndefined();
  });

  test('shows a branch target of another address with the same bytes', () => {
    expect(disassembler.disassemble(bytesOf('eb 00'), 0x1000n)?.text).toBe('jmp 0x1002');
    expect(disassembler.disassemble(bytesOf('eb 00'), 0x2000n)?.text).toBe('jmp 0x2002');
    expect(disassembler.disassemble(bytesOf('eb 00'), 0x100001000n)?.text).toBe('jmp 0x100001002');
  });

  const library = '/usr/lib/x86_64-linux-gnu/libgcc_s.so.1';
  test.skipIf(!existsSync(library) || !existsSync('/usr/bin/objdump'))(
    'shows another branch target or displacement than GNU objdump',
    { timeout: 30_000 },
    () => {
      const output = execFileSync('objdump', ['-d', '--insn-width=15', library], {
        encoding: 'latin1',
        maxBuffer: 2 ** 28,
      });
      let compared = 0;
      for (const [line, address = '', hex = '', text = ''] of output.matchAll(
        /^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.*)$/gm,
      )) {
        if (text.includes('(bad)')) continue;
        const bytes = bytesOf(hex);
        const disassembly = disassembler.disassemble(bytes, BigInt(`0x${address}`));
        expect(disassembly?.length, line).toBe(bytes.length);
        const target = / ([0-9a-f]+) </.exec(text)?.[1];
        const displacement = /(-?0x[0-9a-f]+)\(/.exec(text)?.[1];
        const shown = /(-?)((0x)?[0-9a-f]+)\(/.exec(disassembly?.operands ?? '');
        if (displacement !== undefined && BigInt(displacement.replace('-', '')) !== 0n) {
          compared++;
          expect(shown?.[1], line).toBe(displacement.startsWith('-') ? '-' : '');
          expect(Number(shown?.[2]), line).toBe(Number(displacement.replace('-', '')));
        } else if (target !== undefined && !text.includes('(')) {
          compared++;
          expect(disassembly?.operands, line).toBe(`0x${target}`);
        }
      }
      expect(compared).toBeGreaterThan(5_000);
    },
  );
});

describe('load and close', () => {
  /** A copy of the file under test that has loaded nothing yet. */
  async function fresh(): Promise<typeof Disassembler> {
    vi.resetModules();
    Object.assign(counts, { starts: 0, opened: 0, closed: 0 });
    return (await import('../../emu/disassembler.js')).Disassembler;
  }

  test('loads Capstone before anyone asks for it', async () => {
    expect(importsAtStart).toBe(0);
    const Fresh = await fresh();
    expect(counts.starts).toBe(0);
    (await Fresh.load()).close();
    expect(counts.starts).toBe(1);
  });

  test('starts a second WASM module, or leaves a closed handle open', async () => {
    const Fresh = await fresh();
    const [first, second] = await Promise.all([Fresh.load(), Fresh.load()]);
    const third = await Fresh.load();
    expect(counts).toMatchObject({ starts: 1, opened: 3, closed: 0 });

    first.close();
    first.close();
    expect(counts.closed).toBe(1);
    expect(() => first.disassemble(bytesOf('90'), 0n)).toThrow('closed');
    expect(second.disassemble(bytesOf('90'), 0n)?.text).toBe('nop');
    second.close();
    third.close();
    expect(counts).toMatchObject({ starts: 1, opened: 3, closed: 3 });
  });

  test('keeps answering from the cache after close', async () => {
    const disassembler = await Disassembler.load();
    disassembler.disassemble(bytesOf('90'), 0n);
    disassembler.close();
    expect(() => disassembler.disassemble(bytesOf('90'), 0n)).toThrow('closed');
  });

  test('ignores where the WASM is said to be, or never loads after it was not there', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const Fresh = await fresh();
    const folder = dirname(createRequire(import.meta.url).resolve('@alexaltea/capstone-js'));
    await expect(Fresh.load(join(folder, 'missing.wasm'))).rejects.toThrow('missing.wasm');
    const disassembler = await Fresh.load(join(folder, 'capstone.wasm'));
    expect(disassembler.disassemble(bytesOf('90'), 0n)?.text).toBe('nop');
    disassembler.close();
    vi.restoreAllMocks();
  });
});
