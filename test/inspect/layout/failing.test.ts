/** Code that crashes, loops, saves nothing or does something odd gets a verdict, and golden files and reports say so. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../../inspect/layout/layout.js';
import { findingTexts } from '../../../inspect/layout/table.js';
import { expectComplaint, millscope, ROOT } from '../command.js';
import { file, folder, layout, measured, SEQUENCES, short } from './measuring.js';

const GOLDEN = 'fixtures/golden/libmill.json';
const NAMES = { save: 'keep', restore: 'bring' };
const SAVE = `keep:   mov %rbx, (%rdi)
        lea 8(%rsp), %rax
        mov %rax, 8(%rdi)
        mov (%rsp), %rax
        mov %rax, 16(%rdi)
        ret
`;
const RESTORE = `bring:  mov (%rdi), %rbx
        mov 8(%rdi), %rsp
        jmp *16(%rdi)
`;

function routines(name: string, save: string, restore = 'bring:  ret\n'): string {
  return file(`${name}.s`, `        .text\n        .globl keep, bring\n${save}${restore}`);
}

const failures: readonly [name: string, save: string, restore: string | undefined, why: RegExp][] = [
  ['loop', 'keep:   jmp keep\n', undefined, /^keep never returns: after 20000 instructions it was at loop\.s:3$/],
  ['nothing', 'keep:   xor %eax, %eax\n        ret\n', undefined, /^keep saves nothing$/],
  [
    'crash',
    'keep:   mov %rbx, (%rdi)\n        mov (%rbx), %rax\n        ret\n',
    undefined,
    /^keep crashes: .* at crash\.s:4$/,
  ],
  ['exit', 'keep:   mov %rbx, (%rdi)\n        call exit\n', undefined, /^keep ends the process/],
  ['returns', SAVE, 'bring:  mov (%rdi), %rbx\n        ret\n', /^bring comes back to its caller/],
  ['endless', SAVE, 'bring:  mov (%rdi), %rbx\n1:      jmp 1b\n', /^bring never returns/],
  ['wild', SAVE, 'bring:  mov (%rdi), %rbx\n        jmp *%rbx\n', /^bring crashes: /],
];

describe('code that fails', () => {
  it.each(failures)('%s', async (name, save, restore, why) => {
    const path = routines(name, save, restore);
    expect((await layout([path], NAMES)).failed).toMatch(why);
    const ended = millscope(['layout', path, '--save', 'keep', '--restore', 'bring']);
    expectComplaint(ended, 2, /millscope: not measured to the end: /);
    expect(millscope(['check', path, '--save', 'keep', '--restore', 'bring']).status).toBe(2);
  });

  it('makes no golden file, and is equal to none', () => {
    const path = routines('unkept', 'keep:   mov %rbx, (%rdi)\n1:      jmp 1b\n');
    const switches = ['--save', 'keep', '--restore', 'bring'];
    const golden = join(folder, 'unkept.json');
    expectComplaint(millscope(['layout', path, ...switches, '--write', golden]), 2, /not measured to the end/);
    expect(existsSync(golden)).toBe(false);
    const { stdout } = millscope(['layout', path, ...switches, '--json']);
    file('unkept.json', JSON.stringify({ layouts: [JSON.parse(stdout)] }));
    expectComplaint(millscope(['layout', path, ...switches, '--golden', golden]), 2, /not measured to the end/);
  });

  it.skipIf(spawnSync('cc', ['--version']).status !== 0)(
    'is named by what it calls, if that is not there',
    async () => {
      const source = file(
        'calls.c',
        'void elsewhere(void *); int keep(void *p) { elsewhere(p); return 0; } void bring(void *p) { elsewhere(p); }',
      );
      execFileSync('cc', ['-c', '-O1', '-o', join(folder, 'calls.o'), source]);
      const { failed } = await layout([join(folder, 'calls.o')], NAMES);
      expect(failed).toBe(
        'keep calls elsewhere, which is not here: give the object or archive that has it (--archive)',
      );
    },
  );
});

describe('what is not said', () => {
  it('is refused if it would work in more than one way', async () => {
    // It takes rsi for the ctx whenever rdi is no address.
    const save = SAVE.replace('keep:   ', 'keep:   bt $62, %rdi\n        cmovc %rsi, %rdi\n        ');
    const path = routines('either', save, RESTORE);
    await expect(layout([path], NAMES)).rejects.toThrow(
      'the save works with its ctx in any of rsi, rdi: say which, with --ctx',
    );
    expect((await layout([path], { ...NAMES, ctx: ['rdi', 'rdi'] })).failed).toBeUndefined();
  });

  it('is refused if there is nothing to choose from', async () => {
    await expect(layout([routines('two', SAVE, RESTORE)])).rejects.toThrow(
      /name the switch, .*functions there are keep, bring$/,
    );
    const alone = file('alone.s', '        .globl alone\nalone:  ret\n');
    await expect(layout([alone])).rejects.toThrow('alone, the only function, is no swap');
  });
});

describe('what contradicts itself', () => {
  it('is refused', () => {
    const refused = (options: readonly string[], why: RegExp) =>
      expectComplaint(millscope(['layout', ...SEQUENCES, ...options]), 2, why);
    refused(['--json', '--drawing'], /'--json' cannot be used with option '--drawing'/);
    refused(['--switch', 'x', '--shape', 'jump'], /--switch names one routine: leave it out/);
    refused(['--switch', 'x', '--save', 'y'], /--switch names one routine: leave it out/);
    refused(['--save', 'x', '--shape', 'swap'], /--save names a half of a jump: .*with --switch/);
  });
});

describe('what is odd about a layout', () => {
  const findings = async (name: string, save: string, restore: string): Promise<string[]> => {
    const [measurement] = await measured([routines(name, save, restore)], NAMES);
    return findingTexts(layoutOf(measurement));
  };

  it('is nothing, if there is nothing', async () => {
    expect(await findings('plain', SAVE, RESTORE)).toEqual([]);
  });

  it('is what is saved and never restored', async () => {
    const save = SAVE.replace('ret', 'mov %r12, 24(%rdi)\n        ret');
    expect(await findings('unrestored', save, RESTORE)).toEqual(['saved and never restored: r12 at 24']);
  });

  it('is what is restored and never saved', async () => {
    const restore = RESTORE.replace('bring:', 'bring:  mov 32(%rdi), %r14\n      ');
    expect(await findings('unsaved', SAVE, restore)).toEqual(['restored and never saved: r14 at 32']);
  });

  it('is what is saved twice', async () => {
    const save = SAVE.replace('ret', 'mov %rbx, 24(%rdi)\n        ret');
    expect(await findings('twice', save, RESTORE)).toEqual(['saved and never restored: rbx at 24', 'saved twice: rbx']);
  });

  it('is what comes back as another register', async () => {
    const restore = RESTORE.replace('(%rdi), %rbx', '(%rdi), %rbp');
    expect(await findings('other', SAVE, restore)).toEqual([
      'different in the two directions: rbx at 0 comes back as rbp',
    ]);
  });

  it('has a variable by its own name, not by one of the probe', async () => {
    const save = SAVE.replace('ret', 'mov %r12, spare(%rip)\n        ret');
    const restore = `${RESTORE}        .data\nspare:  .quad 0\n`;
    expect(await findings('variable', save, restore)).toEqual(['saved and never restored: r12 at spare+0']);
  });

  it('is no half of an address, if a byte of it is read for something else', async () => {
    const save = SAVE.replace('ret', 'movb (%rsp), %al\n        ret');
    expect(short(await layout([routines('glance', save, RESTORE)], NAMES))).toContain('16:8 rip > rip');
    const narrow = SAVE.replace('mov (%rsp), %rax', 'mov (%rsp), %eax');
    expect(short(await layout([routines('narrow', narrow, RESTORE)], NAMES))).toContain(
      '16:8 rip as its low 32 bits, when saved > rip',
    );
  });

  it('is found in what is copied byte by byte, as words', async () => {
    // Two words: r14 below the stack pointer, and the return address that it points to.
    const copy =
      'mov %rdi, %rdx\n        lea 32(%rdi), %rdi\n        lea -8(%rsp), %rsi\n        mov $16, %ecx\n        rep movsb';
    const save = SAVE.replace('keep:   ', 'keep:   mov %r14, -8(%rsp)\n        ').replace(
      'ret',
      `${copy}\n        ret`,
    );
    const restore = RESTORE.replace('bring:', 'bring:  mov 32(%rdi), %r14\n      ');
    const lines = short(await layout([routines('copied', save, restore)], NAMES));
    expect(lines.slice(3)).toEqual(['32:8 r14 > r14', '40:8 rip > -']);
  });

  it('is a half of a register', async () => {
    const save = SAVE.replace('ret', 'mov %r13d, 24(%rdi)\n        ret');
    const restore = RESTORE.replace('bring:', 'bring:  mov 24(%rdi), %r13d\n      ');
    const found = await layout([routines('half', save, restore)], NAMES);
    expect(short(found)).toContain('24:4 r13 as its low 32 bits > r13');
  });

  it('is found in what the engine does not tell of: fxsave', async () => {
    const save = SAVE.replace('ret', 'fxsave 64(%rdi)\n        ret');
    const restore = RESTORE.replace('bring:', 'bring:  fxrstor 64(%rdi)\n      ');
    const lines = short(await layout([routines('fxsave', save, restore)], NAMES));
    // Intel SDM, volume 2, table 3-43: the layout of the area of 64-bit mode without REX.W
    for (const line of ['64:2 fpcw > fpcw', '88:4 mxcsr > mxcsr', '224:16 xmm0 > xmm0', '464:16 xmm15 > xmm15']) {
      expect(lines).toContain(line);
    }
  });
});

describe('a golden file', () => {
  const moved = (): string[] => {
    const text = readFileSync(join(ROOT, SEQUENCES[0]), 'utf8');
    const changed = text.replace('%rsp, 24(', '%rsp, 32(').replace('%r13, 32(', '%r13, 24(');
    return [file('mill_setjmp.s', changed), SEQUENCES[1]];
  };

  it('says in a table what has moved, with status 1', () => {
    const { status, stdout, stderr } = millscope(['layout', ...moved(), '--golden', GOLDEN]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/│ 24 │ rsp → rsp │ r13 → rsp; rsp is at 32 │/);
    expect(stdout).toMatch(/│ 32 │ r13 → r13 │ rsp → r13; r13 is at 24 │/);
    expect(stderr).toBe(`millscope: the layout is not as ${GOLDEN} has it\n`);
  });

  it('leaves JSON to be read, with what has moved in it', () => {
    const { status, stdout } = millscope(['layout', ...moved(), '--golden', GOLDEN, '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout).differences.map(({ what }: { what: string }) => what)).toEqual(['24', '32']);
    const equal = millscope(['layout', ...SEQUENCES, '--golden', GOLDEN, '--json']);
    expect(JSON.parse(equal.stdout).differences).toEqual([]);
  });

  it('makes a report in XML, of what is equal and of what is not', () => {
    const path = join(folder, 'report.xml');
    millscope(['layout', ...SEQUENCES, '--golden', GOLDEN, '--junit', path]);
    expect(readFileSync(path, 'utf8')).toMatch(/<testsuite name="mill_setjmp, mill_longjmp" tests="2" failures="0">/);
    millscope(['layout', ...moved(), '--golden', GOLDEN, '--junit', path]);
    expect(readFileSync(path, 'utf8')).toMatch(
      /failures="1">[\s\S]*<failure message="at 24: golden rsp → rsp, now r13 → rsp/,
    );
  });

  it('that is none, or not there, is refused', () => {
    const refused = (path: string) => millscope(['layout', ...SEQUENCES, '--golden', path]);
    expectComplaint(refused(file('text.json', 'no JSON')), 2, /it is no golden file: it is not JSON/);
    expectComplaint(refused(file('other.json', '{}')), 2, /it has no layouts/);
    for (const layouts of ['', 'null', '{"name":"x","slots":[null]}', '{"name":"x","slots":[{}]}']) {
      const path = file('odd.json', `{"layouts":[${layouts}]}`);
      expectComplaint(refused(path), 2, /it has no layouts, or one without its slots; make one with --write$/m);
    }
    expectComplaint(
      refused('/nowhere.json'),
      2,
      /cannot read \/nowhere\.json: there is no such file: make it with --write/,
    );
    const nowhere = millscope(['layout', ...SEQUENCES, '--write', '/nowhere/x.json']);
    expectComplaint(nowhere, 2, /cannot write \/nowhere\/x\.json: there is no such folder/);
  });

  it('is a drawing to scale as well', () => {
    const path = routines(
      'drawn',
      SAVE.replace('ret', 'stmxcsr 24(%rdi)\n        fnstcw 28(%rdi)\n        ret'),
      RESTORE,
    );
    const { stdout } = millscope(['layout', path, '--save', 'keep', '--restore', 'bring', '--drawing']);
    expect(stdout.split('\n').slice(-5).join('\n')).toBe(`\
     +16 │ return address                │
         ├───────────────┬───────┬───────┤
     +24 │ mxcsr         │ x87 c…│       │
     +30 └───────────────┴───────┴───────┘
`);
  });

  it('is a header for C as well', () => {
    const { stdout } = millscope(['layout', ...SEQUENCES, '--header']);
    expect(stdout).toMatch(/^#define MILL_SETJMP_MILL_LONGJMP_CTX_RSP 24$/m);
    expect(stdout).toMatch(/^#define MILL_SETJMP_MILL_LONGJMP_CTX_END 80$/m);
  });
});
