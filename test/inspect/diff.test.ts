import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { whyMissing } from '../../bench/engines.js';
import { Lane } from '../../inspect/diff/lane.js';
import { findParting } from '../../inspect/diff/parting.js';
import { assembleProgram, libmill, openCpu, Process } from '../../inspect/millscope.js';
import { fixturePrograms } from '../fixture.js';
import { type Ended, expectComplaint, file, folder, millscope, ROOT } from './command.js';
import { EVERYTHING, parseLines } from './trace-lines.js';

const FAN_IN = 'fixtures/programs/fan-in.s';
const PIPELINE = 'fixtures/programs/pipeline.s';
const NATIVE_MISSING = await whyMissing('native');
const SAME = 0;
const DIFFERENT = 1;

const guest = (name: string, text: string): string =>
  file(name, `.include "libmill.inc"\n.text\n.globl main\n${text}\n`);

/** A program of the fixtures with something in it replaced, next to what it includes. */
function changed(name: string, from: string, to: string): string {
  file('print_number.inc', readFileSync(join(ROOT, 'fixtures/programs/print_number.inc')));
  const text = readFileSync(join(ROOT, 'fixtures/programs', name), 'utf8');
  expect(text.split(from)).toHaveLength(2);
  return file(
    `changed-${name}`,
    text.replace(from, () => to),
  );
}

function trace(name: string, program: string, ...options: string[]): string {
  const path = join(folder, name);
  const { status } = millscope(['trace', program, '--format', 'jsonl', '-o', path, ...options]);
  expect(status).toBe(0);
  return path;
}

/** The rows of the table that was printed, by their first column. */
function rowsOf(stdout: string): Record<string, string[]> {
  const rows = stdout.split('\n').filter((line) => line.startsWith('│'));
  const cells = rows.map((row) =>
    row
      .split('│')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return Object.fromEntries(cells.map(([what, ...sides]) => [what, sides]));
}

const momentOf = ({ stdout }: Ended): number => Number(/part at moment (\d+)/.exec(stdout)?.[1]);

describe('millscope diff of two seeds', () => {
  it('finds where they part, which is where their traces do', () => {
    const ended = millscope(['diff', FAN_IN, '--seeds', '1,2']);
    expectComplaint(ended, DIFFERENT, /^millscope: the runs part at moment \d+\n$/);
    const [one, other] = ['1', '2'].map((seed) =>
      parseLines(millscope(['trace', FAN_IN, '--seed', seed, '--format', 'jsonl', '--events', 'instruction']).stdout),
    );
    const first = one.findIndex((line, index) => index > 0 && JSON.stringify(line) !== JSON.stringify(other[index]));
    // An instruction's line has what is there behind it.
    expect(momentOf(ended)).toBe(one[first].at + 1);
    const { rax, instruction, '': labels } = rowsOf(ended.stdout);
    expect(labels).toEqual(['seed 1', 'seed 2']);
    expect(instruction).toEqual([one[first].text, one[first].text]);
    expect(rax).toEqual([one[first].changed.rax, other[first].changed.rax]);
    const landing = parseLines(millscope(['switches', '--json', '--seed', '1', FAN_IN]).stdout)
      .filter((line) => 'switch' in line && line.at <= one[first].at)
      .at(-1);
    expect(ended.stdout).toContain(`the last switch before was at moment ${landing?.at}:`);
  });

  it('prints command lines that lead there', () => {
    const { stdout } = millscope(['diff', FAN_IN, '--seeds', '1,2']);
    const commands = stdout.split('\n').filter((line) => line.startsWith('  millscope trace '));
    expect(commands).toHaveLength(2);
    const moment = momentOf({ status: 0, stdout, stderr: '' });
    const listings = commands.map((command) => millscope(command.trim().split(' ').slice(1)));
    expect(listings.map(({ status }) => status)).toEqual([0, 0]);
    const at = listings.map(({ stdout: text }) => text.split('\n').filter((line) => /^ +\d+ {2}\w/.test(line)));
    const differs = at[0].findIndex((line, index) => line !== at[1][index]);
    expect(Number(at[0][differs].trim().split(' ')[0])).toBe(moment - 1);
  });

  it.each([
    [FAN_IN, '5,5'],
    // Nothing in it is random.
    [PIPELINE, '1,2'],
  ])('finds nothing in %s with %s', (program, seeds) => {
    const { status, stdout } = millscope(['diff', program, '--seeds', seeds]);
    expect(status).toBe(SAME);
    expect(stdout).toMatch(/^the runs are the same, up to their end at moment \d+\n$/);
  });

  it('finds what leaves no trace at the end: a random number that is looked at and forgotten', () => {
    const program = guest('forgotten.s', 'main: push %rbx\n call random\n xor %eax, %eax\n pop %rbx\n ret');
    const ended = millscope(['diff', program, '--seeds', '1,2']);
    expect(ended.status).toBe(DIFFERENT);
    expect(rowsOf(ended.stdout).of[0]).toMatch(/^rand/);
  });

  it('finds it in a long run, behind 3 million instructions', () => {
    const program = guest(
      'long.s',
      'main: push %rbx\n mov $1000000, %ebx\nagain: nop\n dec %ebx\n jnz again\n call random\n and $1, %eax\n pop %rbx\n ret',
    );
    const ended = millscope(['diff', program, '--seeds', '1,2']);
    expect(ended.status).toBe(DIFFERENT);
    expect(momentOf(ended)).toBeGreaterThan(3_000_000);
    expect(momentOf(ended)).toBeLessThan(3_000_050);
  });
});

describe('millscope diff of two engines', () => {
  const programs = fixturePrograms().filter((name) => name !== 'whispers.s');
  it
    .skipIf(NATIVE_MISSING !== undefined)
    .each([
      ...programs.map((name) => `fixtures/programs/${name}`),
      'fixtures/c/fork-workers.o',
      'fixtures/c/floating-point.o',
      'fixtures/c/panic.o',
    ])('finds nothing in %s', (program) => {
    const { status, stdout } = millscope(['diff', program, '--engines', 'unicorn.js,native']);
    expect({ status, stdout }).toEqual({ status: SAME, stdout: expect.stringMatching(/^the runs are the same/) });
  });
});

describe('millscope diff of two programs', () => {
  it('finds the instruction that is another one', () => {
    const other = changed('pipeline.s', 'imul    %rdi, %rax', 'imul    $4, %rax, %rax');
    const ended = millscope(['diff', PIPELINE, other]);
    expect(ended.status).toBe(DIFFERENT);
    const rows = rowsOf(ended.stdout);
    // The first number that gets there is (1 + 1) * 3.
    expect(rows.rax).toEqual(['0x24', '0x18']);
    expect(rows.instruction).toEqual(['imulq %rdi, %rax', 'imulq $4, %rax, %rax']);
    expect(rows.of[0]).toMatch(/^square\+0x3 \(pipeline\.s:\d+\)$/);
    expect(rows.who).toEqual(['in coroutine 4', 'in coroutine 4']);
  });

  it('finds nothing where functions, data and the heap are only elsewhere', () => {
    const moved = changed('pipeline.s', '        .text\n', '        .data\n.zero 20000\n.text\n.zero 64, 0x90\n');
    expect(millscope(['diff', PIPELINE, moved])).toMatchObject({ status: SAME, stderr: '' });
  });

  it('finds what is written, where only the text is another one', () => {
    const says = (text: string): string =>
      guest(`${text}.s`, `main: lea text(%rip), %rdi\n jmp puts\n.data\ntext: .asciz "${text}"`);
    const ended = millscope(['diff', says('one'), says('two')]);
    expect(ended.status).toBe(DIFFERENT);
    expect(rowsOf(ended.stdout).writes).toEqual(['"one\\n"', '"two\\n"']);
  });

  it('finds where one ends and the other goes on', () => {
    const one = guest('ends.s', 'main: mov $3, %edi\n call exit');
    const other = guest('goes-on.s', 'main: mov $3, %edi\n call _exit');
    expect(millscope(['diff', one, other]).status).toBe(DIFFERENT);
  });

  it('compares as far as it is told to', () => {
    const endless = (name: string, end: string): string =>
      guest(name, `main: mov $100000, %ecx\nagain: nop\n loop again\n${end}\nstay: jmp stay`);
    const [one, other] = [endless('stays.s', 'mov $1, %eax'), endless('stays-too.s', 'mov $2, %eax')];
    const ended = millscope(['diff', one, other, '--limit', '100000']);
    expect(ended).toEqual({
      status: SAME,
      stdout: 'the runs are the same, up to --limit at moment 100000\n',
      stderr: '',
    });
    expect(millscope(['diff', one, other, '--limit', '300000']).status).toBe(DIFFERENT);
  });

  it('shows what is next, and how each has ended', () => {
    const [one, other] = [guest('faults.s', 'main: mov 8, %eax\n ret'), guest('returns.s', 'main: mov $8, %eax\n ret')];
    const { next, 'the run': run } = rowsOf(millscope(['diff', one, other]).stdout);
    expect(next).toEqual(['movl 8, %eax', 'movl $8, %eax']);
    expect(run[0]).toMatch(/has ended: page fault/);
    expect(run[1]).toBe('goes on');
  });
});

describe('the search for where runs part', () => {
  it('finds what is in memory or in a vector register only, at its moment', async () => {
    const before = 1000;
    const text =
      '.text\n.globl main\nmain: ' +
      'nop\n'.repeat(before) +
      'movups from(%rip), %xmm3\n nop\n nop\n movups %xmm3, to(%rip)\n xor %eax, %eax\n ret\n' +
      '.data\n.balign 16\nfrom: .zero 16\nto: .zero 16\n';
    const image = await assembleProgram({ name: 'vector.s', text });
    const cpus = [openCpu({ memory: 64 << 20 }), openCpu({ memory: 64 << 20 })];
    const lanes = cpus.map((cpu, index) => {
      const run = { paths: ['vector.s'], arguments: [], options: {} as never };
      return new Lane(`${index}`, run, new Process(cpu, libmill(), image, ['vector.s']));
    });
    const at = Number(image.symbol('from'));
    cpus[1].memory.setU64(at, 1n);
    let main = 0;
    const probe = openCpu({ memory: 64 << 20 });
    const process = new Process(probe, libmill(), image, ['vector.s']);
    while (probe.rip !== Number(image.symbol('main'))) process.step();
    main = probe.moment;
    const find = (ignored: ReadonlySet<number>) =>
      findParting(lanes[0], lanes[1], { ignored, limit: Number.POSITIVE_INFINITY, progress: () => {} });
    const parting = await find(new Set([at]));
    expect(parting?.moment).toBe(main + before + 1);
    for (const cpu of [...cpus, probe]) cpu.close();
  });
});

describe('millscope diff of two traces', () => {
  it('finds nothing in two traces of one run', () => {
    const [one, other] = ['same-1.jsonl', 'same-2.jsonl'].map((name) => trace(name, PIPELINE, '--events', EVERYTHING));
    const lines = readFileSync(one, 'utf8').split('\n').length - 1;
    const { status, stdout } = millscope(['diff', one, other]);
    expect({ status, stdout }).toEqual({
      status: SAME,
      stdout: `the traces are the same, in all of their ${lines} lines\n`,
    });
  });

  it('finds what two seeds do otherwise', () => {
    const [one, other] = ['1', '2'].map((seed) =>
      trace(`seed-${seed}.jsonl`, FAN_IN, '--seed', seed, '--events', EVERYTHING),
    );
    const ended = millscope(['diff', one, other]);
    expect(ended.status).toBe(DIFFERENT);
    expect(momentOf(ended)).toBe(momentOf(millscope(['diff', FAN_IN, '--seeds', '1,2'])) - 1);
    expect(ended.stdout).toMatch(/\n {2}millscope trace fixtures\/programs\/fan-in\.s --seed 2 --from \d+ --to \d+\n$/);
  });

  const whole = (): string => readFileSync(trace('whole.jsonl', PIPELINE, '--events', EVERYTHING), 'utf8');

  it('finds a line that has been changed, and shows both sides', () => {
    const path = trace('original.jsonl', PIPELINE, '--events', EVERYTHING);
    const lines = readFileSync(path, 'utf8').split('\n');
    const at = lines.findIndex((line) => line.startsWith('{"kind":"instruction","at":1000,'));
    lines[at] = lines[at].replace(/"rip":"0x/, '"rip":"0x9');
    const ended = millscope(['diff', path, file('mutated.jsonl', lines.join('\n'))]);
    expect(ended.status).toBe(DIFFERENT);
    expect(ended.stdout).toMatch(new RegExp(`^the traces part at moment 1000, in line ${at + 1}; the last switch`));
    const [first, second] = rowsOf(ended.stdout).rip;
    expect(second).toBe(first.replace('0x', '0x9'));
  });

  it('refuses a trace that is cut off, within a line or behind one, and says what to do', () => {
    const text = whole();
    const path = join(folder, 'whole.jsonl');
    const line = text.split('\n').slice(0, 500).join('\n');
    for (const cut of [line.slice(0, -10), line, `${line}\n`, text.slice(0, 100), '{"kind":"header"']) {
      for (const pair of [
        [path, file('cut.jsonl', cut)],
        [join(folder, 'cut.jsonl'), path],
      ]) {
        expectComplaint(
          millscope(['diff', ...pair]),
          2,
          /cut\.jsonl is cut off in or behind line \d+: trace the program again/,
        );
      }
    }
  });

  it('refuses what is of another version, or no trace', () => {
    const path = file('one.jsonl', whole());
    const other = (from: string, to: string): Ended =>
      millscope(['diff', path, file('other.jsonl', whole().replace(from, to))]);
    expectComplaint(
      other('"version":1', '"version":2'),
      2,
      /other\.jsonl is a trace of version 2, and this millscope reads version 1/,
    );
    expectComplaint(other('millscope-trace', 'other-trace'), 2, /other\.jsonl is no trace of millscope's/);
    expectComplaint(other('"archives":[]', '"archives":0'), 2, /other\.jsonl: its header is damaged/);
    expectComplaint(
      other('{"kind":"instruction","at":0,', 'nonsense'),
      2,
      /other\.jsonl: line 3 is no line of a trace/,
    );
  });

  it('refuses traces of other events, or of other moments', () => {
    const path = trace('switches.jsonl', PIPELINE, '--events', 'switch');
    expectComplaint(
      millscope(['diff', path, trace('timers.jsonl', PIPELINE, '--events', 'timer')]),
      2,
      /--events switch .*--events timer/,
    );
    const later = trace('later.jsonl', PIPELINE, '--events', 'switch', '--from', '5');
    expectComplaint(millscope(['diff', path, later]), 2, /--from 0, .*--from 5/);
  });
});

describe('millscope diff', () => {
  it.each([
    ['fixtures/programs/pipeline.s', /one file cannot be compared: give two programs, or two traces/],
    [`${PIPELINE} ${PIPELINE} ${PIPELINE}`, /3 files cannot be compared/],
    [`${PIPELINE} --seeds 1`, /--seeds 1: it must be two, with a comma between/],
    [`${PIPELINE} --seeds 1,2,3`, /it must be two/],
    [`${PIPELINE} --seeds 1,x`, /"x" is no whole number below 2\^64/],
    [`${PIPELINE} --seeds 1,18446744073709551616`, /no whole number below 2\^64/],
    [`${PIPELINE} --engines native,unicornjs`, /no engine "unicornjs"; did you mean "unicorn\.js"\?/],
    [`${PIPELINE} --seeds 1,2 --engines native,native`, /either --seeds or --engines/],
    [`${PIPELINE} nowhere.s`, /cannot read nowhere\.s: there is no such file/],
    [`${FAN_IN} --seeds 1,2 --clock real`, /real clock/],
    ['fixtures/programs package.json', /cannot read fixtures\/programs: /],
  ])('refuses %s', (options, message) => {
    expectComplaint(millscope(['diff', ...options.split(' ')]), 2, message);
  });

  it('refuses to compare a trace with a program', () => {
    expectComplaint(millscope(['diff', trace('alone.jsonl', PIPELINE), PIPELINE]), 2, /another trace only/);
  });

  it('has no colours', () => {
    expect(millscope(['diff', FAN_IN, '--seeds', '1,2'], { FORCE_COLOR: '1' }).stdout).not.toContain('\x1b[');
  });
});

describe('millscope diff --at', () => {
  it('compares two seeds at a moment, whatever came before', () => {
    const parted = momentOf(millscope(['diff', FAN_IN, '--seeds', '1,2']));
    const before = millscope(['diff', FAN_IN, '--seeds', '1,2', '--at', `${parted - 1}`]);
    expect(before).toEqual({
      status: SAME,
      stdout: `the runs are the same at moment ${parted - 1}\n`,
      stderr: '',
    });
    const at = parted + 40;
    const ended = millscope(['diff', FAN_IN, '--seeds', '1,2', '--at', `${at}`]);
    expectComplaint(ended, DIFFERENT, new RegExp(`^millscope: the runs differ at moment ${at}\n$`));
    const rows = rowsOf(ended.stdout);
    // What each side is like there by itself says which registers differ.
    const registers = ['1', '2'].map((seed) => {
      const { stdout } = millscope(['run', FAN_IN, '--seed', seed, '--at', `${at}`]);
      return Object.fromEntries(
        [...stdout.matchAll(/\b(r[a-z0-9]{1,2}) +(0x[0-9a-f]+)/g)].map(([, name, value]) => [name, value]),
      );
    });
    expect(Object.keys(registers[0]).length).toBeGreaterThanOrEqual(16);
    for (const [name, value] of Object.entries(registers[0])) {
      expect(rows[name], name).toEqual(value === registers[1][name] ? undefined : [value, registers[1][name]]);
    }
    for (const seed of [1, 2]) {
      expect(ended.stdout).toContain(`\n  millscope run ${FAN_IN} --seed ${seed} --at ${at}\n`);
    }
  });

  it('shows what libmill knows on both sides', () => {
    const { stdout } = millscope(['diff', FAN_IN, PIPELINE, '--at', '300']);
    const rows = rowsOf(stdout);
    expect(rows['coroutine 1']).toEqual(['chs(<1>)', 'RUNNING']);
    expect(rows['channel <2>'][0]).toMatch(/^0 of 0; sends: coroutine 2; receives: \(none\)$/);
    expect(rows.ready).toHaveLength(2);
  });

  it.skipIf(NATIVE_MISSING !== undefined)('finds both engines the same at any moment', () => {
    for (const at of [0, 500, 1704]) {
      const { stdout } = millscope(['diff', FAN_IN, '--engines', 'unicorn.js,native', '--at', `${at}`]);
      expect(stdout).toBe(`the runs are the same at moment ${at}\n`);
    }
  });

  it('says that there is no such moment, or no such comparison', () => {
    const ask = (...args: string[]): Ended => millscope(['diff', ...args]);
    expectComplaint(
      ask(FAN_IN, '--seeds', '1,2', '--at', '99999'),
      2,
      /--at 99999 is behind the end of seed 1, which is at moment \d+/,
    );
    expectComplaint(ask(FAN_IN, '--seeds', '1,2', '--at', '500', '--limit', '400'), 2, /behind --limit 400/);
    const traces = [1, 2].map((seed) => trace(`at-${seed}.jsonl`, FAN_IN, '--seed', `${seed}`));
    expectComplaint(ask(...traces, '--at', '5'), 2, /--at is for runs/);
  });
});
