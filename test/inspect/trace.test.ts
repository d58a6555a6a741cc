import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { whyMissing } from '../../bench/engines.js';
import { GENERAL_REGISTERS } from '../../emu/registers.js';
import { libmill, loadProgram, openCpu, Process } from '../../inspect/millscope.js';
import { fixturePrograms, promised } from '../fixture.js';
import { CLI, expectComplaint, file, folder, millscope, ROOT } from './command.js';
import { EVERYTHING, invalidLine, type Line, parseLines, replay } from './trace-lines.js';

const PIPELINE = 'fixtures/programs/pipeline.s';
const NATIVE_MISSING = await whyMissing('native');
const DEADLOCK = 3;

const guest = (name: string, text: string): string =>
  file(name, `.include "libmill.inc"\n.text\n.globl main\n${text}\n`);

const ENDLESS = guest('endless.s', 'main: inc %rbx\n jmp main');

/** The program's trace, as lines. */
function linesOf(program: string, ...options: string[]): Line[] {
  const { stdout } = millscope(['trace', '--format', 'jsonl', program, ...options]);
  return parseLines(stdout);
}

/** Who reads a trace from its first line gets to the registers that a plain run ends with. */
async function expectFinalRegisters(path: string, lines: readonly Line[]): Promise<void> {
  const cpu = openCpu();
  const process = new Process(cpu, libmill(), await loadProgram([join(ROOT, path)]), [basename(path)]);
  while (process.run().kind === 'child');
  const names = [...GENERAL_REGISTERS, 'rip', 'eflags'] as const;
  const registers = Object.fromEntries(names.map((name) => [name, cpu.read(name)]));
  expect(Object.fromEntries(replay(lines))).toEqual(registers);
  expect(lines.at(-1)).toMatchObject({ kind: 'end', at: cpu.moment });
  cpu.close();
}

describe('millscope trace --format jsonl', () => {
  // 1.7 million instructions are a trace of 300 MB.
  const programs = fixturePrograms().filter((name) => name !== 'whispers.s');

  it.each(programs)(
    'of all events of %s is as the schema says, leads to the final registers, and has what is promised',
    async (name) => {
      const { output, status } = promised(name);
      const ended = millscope(['trace', '--format', 'jsonl', '--events', EVERYTHING, `fixtures/programs/${name}`]);
      expect(ended.status).toBe(status);
      const lines = parseLines(ended.stdout);
      expect(invalidLine(lines)).toBeUndefined();
      expect(lines[0].kind).toBe('header');
      expect(lines.at(-1)).toMatchObject(
        status === DEADLOCK ? { kind: 'end', outcome: 'error' } : { kind: 'end', outcome: 'exit', status },
      );
      const written = lines.filter(({ kind }) => kind === 'output').map(({ text }) => text);
      expect(written.join('')).toBe(output);
      // One line for each moment, and what comes at a moment is in front of its instruction.
      const instructions = lines.filter(({ kind }) => kind === 'instruction');
      expect(instructions.map(({ at }) => at)).toEqual(instructions.map((_, index) => index));
      let moment = 0;
      for (const { kind, at } of lines.slice(1)) {
        expect(at).toBeGreaterThanOrEqual(moment);
        moment = kind === 'instruction' ? at + 1 : at;
      }
      expect(lines.at(-1)?.at).toBe(instructions.length);
      await expectFinalRegisters(`fixtures/programs/${name}`, lines);
    },
  );

  const objects = ['fork-workers', 'fork-times', 'fork-children', 'panic', 'timers', 'choose-loop', 'destructors'];
  it.each(objects)('of %s.o, which is C, is so, too', async (name) => {
    const lines = linesOf(`fixtures/c/${name}.o`, '--events', EVERYTHING);
    expect(invalidLine(lines)).toBeUndefined();
    await expectFinalRegisters(`fixtures/c/${name}.o`, lines);
  });

  it('has the ten slots of each switch, as `switches --json` has them', () => {
    const switches = linesOf('fixtures/programs/every-slot.s', '--events', 'switch').filter(
      ({ kind }) => kind === 'switch',
    );
    const other = parseLines(millscope(['switches', '--json', 'fixtures/programs/every-slot.s']).stdout);
    const strip = (half: unknown): unknown => {
      if (half === null) return null;
      const { before, ...rest } = half as { before: unknown };
      expect(Object.keys(before as object)).toHaveLength(10);
      return rest;
    };
    expect(
      switches.map(({ number, way, at, saved, restored }) => {
        return { switch: number, kind: way, at, saved: strip(saved), restored: strip(restored) };
      }),
    ).toEqual(other.filter((line) => 'switch' in line));
  });

  it('says who executes an instruction: whoever has been switched to, from the landing on', () => {
    const lines = linesOf('fixtures/programs/ping-pong.s', '--events', 'instruction,switch');
    let running = 0;
    for (const line of lines) {
      if (line.kind === 'switch') running = Number(line.to);
      if (line.kind === 'instruction') expect([line.at, line.coroutine]).toEqual([line.at, running]);
    }
  });

  it('can be taken in parts, which together are the whole', () => {
    const parts = (from: number, to?: number): string[] =>
      millscope([
        ...['trace', PIPELINE, '--format', 'jsonl', '--events', EVERYTHING, '--from', `${from}`],
        ...(to === undefined ? [] : ['--to', `${to}`]),
      ])
        .stdout.split('\n')
        .filter((line) => !/^\{"kind":"(header|registers|end)"/.test(line) && line !== '');
    const whole = parts(0);
    expect(whole.length).toBeGreaterThan(2899);
    // In front of, at and behind the `syscall` of the first go() and its landing; and anywhere else.
    const borders = [0, 38, 39, 40, 625, 2898];
    expect(borders.flatMap((from, index) => parts(from, borders[index + 1]))).toEqual(whole);
  });

  it('has only what is asked for', () => {
    const kinds = (events: string): string[] => [
      ...new Set(linesOf('fixtures/programs/timeouts.s', '--events', events).map(({ kind }) => kind)),
    ];
    expect(kinds('output')).toEqual(['header', 'output', 'end']);
    expect(kinds('timer, switch').sort()).toEqual(['end', 'header', 'switch', 'timer']);
    expect(linesOf(PIPELINE).some(({ kind }) => kind === 'instruction')).toBe(false);
  });

  it('has accesses to memory behind the instructions that made them', () => {
    const program = guest(
      'accesses.s',
      'main: push %rbx\n lea cell(%rip), %rbx\n addq $5, (%rbx)\n pop %rbx\n xor %eax, %eax\n ret\n.data\ncell: .quad 7',
    );
    const lines = linesOf(program, '--events', 'instruction,memory', '--from', '15', '--to', '19');
    expect(invalidLine(lines)).toBeUndefined();
    const cell = lines.find(({ text }) => `${text}`.startsWith('lea'))?.changed as { rbx: string };
    // The stack as in the listing of another program below; rbx is 0 there.
    expect(
      lines.slice(2, -1).map(({ kind, at, access, address, size, value }) => {
        return kind === 'instruction' ? at : [at, access, address, size, value];
      }),
    ).toEqual([
      15,
      [16, 'write', '0x1fefbfb0', 8, '0x0'],
      16,
      17,
      [18, 'read', cell.rbx, 8, undefined],
      [18, 'write', cell.rbx, 8, '0xc'],
      18,
      [19, 'read', '0x1fefbfb0', 8, undefined],
    ]);
    const alone = linesOf(program, '--events', 'memory', '--from', '15', '--to', '19');
    expect(alone.slice(1, -1)).toEqual(lines.filter(({ kind }) => kind === 'memory'));
    const text = millscope(['trace', program, '--events', 'memory', '--from', '17', '--to', '18']).stdout;
    expect(text).toContain(`       18  * main: write at ${cell.rbx}, 8 bytes: 0xc\n`);
    const perfetto = JSON.parse(millscope(['trace', program, '--events', 'memory', '--format', 'perfetto']).stdout);
    expect(perfetto.traceEvents).toContainEqual(
      expect.objectContaining({
        name: `write ${cell.rbx}`,
        ts: 18,
        tid: 1,
        args: { moment: 18, size: 8, value: '0xc' },
      }),
    );
  });

  it('has what a door writes', () => {
    const lines = linesOf(PIPELINE, '--events', 'memory');
    expect(invalidLine(lines)).toBeUndefined();
    for (const kind of ['read', 'write', 'host write']) expect(lines.map(({ access }) => access)).toContain(kind);
  });

  it.skipIf(NATIVE_MISSING !== undefined)('is the same on both engines', () => {
    const body = (engine: string): string[] =>
      millscope(['trace', '--format', 'jsonl', '--events', `${EVERYTHING},memory`, PIPELINE, '--engine', engine])
        .stdout.split('\n')
        .slice(1);
    expect(body('native')).toEqual(body('unicorn.js'));
  });

  it('has both lives of a process that forks', () => {
    const lines = linesOf('fixtures/c/fork-times.o', '--events', 'process,output');
    const processes = lines.filter(({ kind }) => kind === 'process').map(({ what, process }) => [what, process]);
    expect(processes.length).toBeGreaterThan(0);
    expect(
      processes
        .filter(([what]) => what === 'start')
        .map(([, id]) => id)
        .sort(),
    ).toEqual(
      processes
        .filter(([what]) => what === 'end')
        .map(([, id]) => id)
        .sort(),
    );
  });
});

describe('millscope trace', () => {
  it('lists instructions, what they change, and what happens between them', () => {
    const program = guest(
      'small.s',
      'main: push %rbx\n mov $7, %ebx\n add %rbx, %rbx\n go worker\n xor %eax, %eax\n pop %rbx\n ret\n' +
        'worker: lea text(%rip), %rdi\n jmp puts\n.data\ntext: .asciz "hi"',
    );
    const { stdout, status } = millscope(['trace', program, '--engine', 'unicorn.js', '--from', '15', '--to', '19']);
    expect(status).toBe(0);
    // The main stack ends at 0x1fefc000; "small.s" and six words (argc, argv, 0, 0 and an empty auxiliary vector) make
    // 0x1fefbfc0, aligned to 16; the call of main pushes one more.
    expect(stdout.split('\n').map((line) => line.replace(/^# rax .*/, '# registers'))).toEqual([
      `# ${program}, seed 0, unicorn.js 1.0.3, from moment 15, in main`,
      '# registers',
      '       15  main          main (small.s:4)                      pushq %rbx                        rsp 0x1fefbfb8 -> 0x1fefbfb0',
      '       16  main          main+0x1 (small.s:5)                  movl $7, %ebx                     rbx 0x0 -> 0x7',
      '       17  main          main+0x6 (small.s:6)                  addq %rbx, %rbx                   rbx 0x7 -> 0xe  eflags 0x6 -> 0x2',
      '       18  main          main+0x9 (small.s:7, libmill.inc:10)  callq 0x100000                    rsp 0x1fefbfb0 -> 0x1fefbfa8  rip 0x400009 -> 0x100000',
      '# stopped by --to at moment 19',
      '',
    ]);
    const whole = millscope(['trace', program]).stdout;
    expect(whole).toMatch(/\n +\d+ {2}\* main starts coroutine 1\n/);
    expect(whole).toMatch(/\n +\d+ {2}\* coroutine 1 enters worker \(small\.s:\d+\)\n/);
    expect(whole).toMatch(/\n +\d+ {2}\* coroutine 1 writes "hi\\n"\n/);
    expect(whole).toMatch(
      /\n +\d+ {2}\* switch 2: coroutine 1 has ended, main is restored\n +from ctx 0x\w+: rbx 0xe /,
    );
    expect(whole).toMatch(/\n# exit 0 at moment \d+\n$/);
  });

  it('lists what is around a moment, with that marked', () => {
    const { stdout, status } = millscope(['trace', PIPELINE, '--at', '25']);
    expect(status).toBe(0);
    const between = millscope(['trace', PIPELINE, '--from', '5', '--to', '45']).stdout;
    expect(stdout.replace(/^(=>| {2}) (?= *\d)/gm, '')).toBe(between);
    // What comes about at the moment is not its instruction.
    const marked = stdout.split('\n').filter((line) => line.startsWith('=>'));
    expect(marked).toEqual([expect.stringMatching(/^=> {8}25 {2}main {10}mill_chmake_\+0x7 .*retq/)]);
    const lines = linesOf(PIPELINE, '--events', 'instruction', '--at', '7');
    expect(lines.filter(({ kind }) => kind === 'instruction').map(({ at }) => at)).toEqual([...Array(27).keys()]);
    expect(invalidLine(lines)).toBeUndefined();
  });

  it('has colours on a screen only, and not with NO_COLOR', () => {
    const ESCAPE = '\x1b[';
    const args = ['trace', PIPELINE, '--events', 'switch'];
    expect(millscope(args).stdout).not.toContain(ESCAPE);
    expect(millscope(args, { FORCE_COLOR: '1' }).stdout).toContain(ESCAPE);
    expect(millscope(args, { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout).not.toContain(ESCAPE);
    const path = join(folder, 'colours.txt');
    millscope([...args, '-o', path], { FORCE_COLOR: '1' });
    expect(readFileSync(path, 'utf8')).not.toContain(ESCAPE);
  });

  it('ends as the program does', () => {
    expect(millscope(['trace', guest('status.s', 'main: mov $77, %eax\n ret'), '--events', 'output']).status).toBe(77);
    const fault = millscope(['trace', guest('fault.s', 'main: mov 8, %eax'), '--format', 'jsonl']);
    expectComplaint(
      fault,
      139,
      /page fault/,
      /\nto list what led there: millscope trace \S+fault\.s --from 0 --to 35\n/,
    );
    expect(parseLines(fault.stdout).at(-1)).toMatchObject({
      outcome: 'fault',
      message: expect.stringMatching(/^page fault/),
    });
    expectComplaint(millscope(['trace', ENDLESS, '--limit', '1000']), 124, /--limit/);
    expect(millscope(['trace', ENDLESS, '--to', '1000']).status).toBe(0);
  });

  it('says what it has written where', () => {
    const path = join(folder, 'told.json');
    const { stdout, status } = millscope(['trace', PIPELINE, '--format', 'perfetto', '-o', path]);
    const { length } = readFileSync(path);
    expect({ stdout, status }).toEqual({
      stdout: `${path}: moments 0 to 2899, ${length} bytes; open it at https://ui.perfetto.dev\n`,
      status: 0,
    });
  });

  it.each([
    ['--from 99999', /--from 99999 is behind the end of the run, which is at moment 2899/],
    ['--at 99999', /--at 99999 is behind the end of the run, which is at moment 2899/],
    ['--at 20 --to 30', /give either --at, or --from and --to/],
    ['--from 20 --to 10', /--from 20 is behind --to 10/],
    ['--from 20 --limit 10', /--from 20 is behind --limit 10/],
    ['--from -1', /whole number/],
    ['--events swich', /no event "swich"; did you mean "switch"\? There are instruction, memory, switch,/],
    ['--events switch,', /no event "": instruction, memory, switch,/],
    ['--format xml', /Allowed choices are text, jsonl, perfetto/],
    ['-o /nowhere/at/all.txt', /cannot write \/nowhere\/at\/all\.txt: there is no such folder/],
    ['-o /', /cannot write \/: that is a folder/],
    [`-o ${PIPELINE}`, /would write over the program/],
  ])('refuses %s', (options, message) => {
    const before = readFileSync(join(ROOT, PIPELINE));
    expectComplaint(millscope(['trace', PIPELINE, ...options.split(' ')]), 2, message);
    expect(readFileSync(join(ROOT, PIPELINE))).toEqual(before);
  });

  it('writes nothing if it never gets to the first moment', () => {
    const path = file('kept.txt', 'as it was');
    expect(millscope(['trace', PIPELINE, '--from', '99999', '-o', path]).status).toBe(2);
    expect(readFileSync(path, 'utf8')).toBe('as it was');
  });

  it('refuses to write over the program by another name of it', () => {
    const path = join(folder, 'own.s');
    copyFileSync(join(ROOT, 'fixtures/programs/ping-pong.s'), path);
    const text = readFileSync(path, 'utf8');
    expectComplaint(millscope(['trace', path, '-o', `${folder}/../${basename(folder)}/own.s`]), 2, /over the program/);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', () => {
    expectComplaint(millscope(['trace', PIPELINE, '-o', '/dev/full']), 2, /cannot write \/dev\/full: the disk is full/);
    const { status, stderr } = spawnSync('sh', ['-c', `exec node ${CLI} trace ${PIPELINE} > /dev/full`], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expectComplaint({ status, stderr, stdout: '' }, 2, /cannot write standard output: the disk is full/);
  });

  it('ends quietly when nobody reads on', () => {
    const script = `node ${CLI} trace ${ENDLESS} | head -n 3; exec 3>&1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', script], { cwd: ROOT, encoding: 'utf8' });
    expect(stdout.split('\n')).toHaveLength(4);
    expect(stderr).toBe('');
  });

  it.each(['jsonl', 'perfetto'])('leaves a whole file behind Ctrl-C: %s', async (format) => {
    const path = join(folder, `interrupted.${format}`);
    const events = format === 'jsonl' ? 'instruction' : 'switch';
    const args = [CLI, 'trace', ENDLESS, '--format', format, '--events', events, '-o', path];
    const child = spawn(process.execPath, args, { cwd: ROOT });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    // The file is there once the run has begun.
    while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 20));
    const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    child.kill('SIGINT');
    expect(await exit).toBe(130);
    expect(stderr).toMatch(/^millscope: stopped by Ctrl-C at moment \d+; the trace ends there\n$/);
    const text = readFileSync(path, 'utf8');
    if (format === 'jsonl') {
      const lines = parseLines(text);
      expect(invalidLine(lines)).toBeUndefined();
      expect(lines.at(-1)).toMatchObject({ kind: 'end', outcome: 'interrupted' });
    } else {
      expect(JSON.parse(text).traceEvents.length).toBeGreaterThan(1);
    }
  });
});
