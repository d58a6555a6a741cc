import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { Cpu } from '../../emu/cpu.js';
import type { EngineEvents, EngineExit, PageFault } from '../../emu/engine.js';
import { UnicornJs } from '../../emu/engines/unicorn-js.js';
import { EngineError } from '../../emu/errors.js';
import { ENGINES, loadEngine, openCpu } from '../../emu/open.js';
import { GENERAL_INDEX, type GeneralRegister, type RegisterName, TRAP_FLAG } from '../../emu/registers.js';
import { examineEngine, problemOf, type Report, reportText } from '../../inspect/doctor.js';
import { colors } from '../../inspect/format.js';
import { bytesOf } from '../../inspect/listing.js';
import { pingPongListing } from '../../inspect/ping-pong.js';
import { INSTRUCTIONS, selfTest } from '../../inspect/self-test.js';
import { libmill } from '../../runtime/libmill.js';
import { gnuCode, hasGnu } from '../asm/gnu.js';
import { CLI, expectComplaint, file, folder, millscopeAlone, ROOT } from './command.js';

const MEMORY = 16 << 20;
const NOWHERE = { MILLSCOPE_LIBUNICORN: '/nowhere/libunicorn.so' };
await loadEngine('unicorn.js');
const ESCAPE = String.fromCharCode(27);

beforeAll(() => loadEngine('unicorn.js'));

type Events = (events: EngineEvents, engine: () => UnicornJs) => Partial<EngineEvents>;

/** Opens CPUs on an engine that tells its events otherwise. */
const withEvents = (change: Events) => (): Cpu =>
  new Cpu((events) => {
    const tell = { block: events.block, syscall: events.syscall, interrupt: events.interrupt };
    const engine: UnicornJs = new UnicornJs(MEMORY, { ...tell, ...change(tell, () => engine) });
    return engine;
  });

/** Opens CPUs on a kind of engine. */
const withEngine = (Engine: typeof UnicornJs) => (): Cpu => new Cpu((events) => new Engine(MEMORY, events));

/** Changes a bit of a register that the engine shows and goes on with. */
function flip(engine: UnicornJs, register: GeneralRegister): void {
  engine.general[GENERAL_INDEX[register] * 2 + 1] ^= 1;
}

const YIELD = Number(libmill().symbol('mill_yield_'));
/** Right behind the one `mill_setjmp_` of the runtime. */
const LANDING = Number(libmill().occurrences('mill_setjmp.s')[0].end);

/** Engines, each with one fault, and what the self-test says of it. */
const BROKEN: Readonly<Record<string, { readonly open: () => Cpu; readonly says: RegExp }>> = {
  'the result of a hypercall': {
    open: withEngine(
      class extends UnicornJs {
        override setRax(low: number, high: number): void {
          super.setRax(low ^ 1, high);
        }
      },
    ),
    says: /^run: rax is 0x123456789abd, not 0x123456789abc$/,
  },
  'a vector register': {
    open: withEngine(
      class extends UnicornJs {
        override read(register: RegisterName): bigint {
          return super.read(register) ^ (register === 'xmm0' ? 1n << 64n : 0n);
        }
      },
    ),
    says: /^run: xmm0 is 0x14042000000000000, not 0x4042000000000000$/,
  },
  'the address of a page fault': {
    open: withEngine(
      class extends UnicornJs {
        override get pageFault(): PageFault {
          const { address, errorCode } = super.pageFault;
          return { address: address === 0x501000n ? address - 4n : address, errorCode };
        }
      },
    ),
    says: /^run: the address that faults is 0x500ffc, not 0x501000$/,
  },
  'single steps': {
    open: withEngine(
      class extends UnicornJs {
        override write(register: RegisterName, value: bigint): void {
          super.write(register, register === 'eflags' ? value & ~BigInt(TRAP_FLAG) : value);
        }
      },
    ),
    says: /^stepped: \d+ steps were seen, not 44$/,
  },
  'what a hypercall leaves alone': {
    open: withEvents((tell, engine) => ({
      syscall: () => {
        flip(engine(), 'rbx');
        tell.syscall();
      },
    })),
    says: /^run: rbx is 0x100000097, not 0x97$/,
  },
  'the count of instructions': {
    open: withEvents((tell) => ({
      block: (at, size) => {
        if (at !== 0x400000) tell.block(at, size);
      },
    })),
    says: /^run: the moment is \d+, not 44$/,
  },
  'a register lost before a switch': {
    open: withEvents((tell, engine) => ({
      block: (at, size) => {
        if (at === YIELD) flip(engine(), 'r12');
        tell.block(at, size);
      },
    })),
    says: /^switch 2 saves 0x[0-9a-f]{16} as r12, not 0x[0-9a-f]{16}$/,
  },
  'a register lost in a switch': {
    open: withEvents((tell, engine) => ({
      block: (at, size) => {
        if (at === LANDING) flip(engine(), 'r14');
        tell.block(at, size);
      },
    })),
    says: /^switch 3 gives coroutine 1 0x[0-9a-f]{16} as r14, not 0x[0-9a-f]{16}$/,
  },
  'a run': {
    open: withEngine(
      class extends UnicornJs {
        override resume(at: number, until?: number): EngineExit {
          return at < 0x400000 ? super.resume(at, until) : 'engine error';
        }
      },
    ),
    says: /^EngineError: unicorn\.js 1\.0\.3 broke at /,
  },
  'opening at all': {
    open: () => {
      throw new TypeError(`no such thing${'!'.repeat(1000)}\nat some line`);
    },
    says: /^TypeError: no such thing!{176}$/,
  },
};

describe('the self-test', () => {
  it.for(ENGINES)('passes on %s', async (engine, { skip }) => {
    const absent = await loadEngine(engine).then(
      () => undefined,
      ({ message }: Error) => message,
    );
    skip(absent !== undefined, absent);
    expect(selfTest(() => openCpu({ engine, memory: MEMORY }))).toEqual([]);
  });

  it.each(Object.entries(BROKEN))('finds an engine that is wrong about %s', (_what, { open, says }) => {
    expect(selfTest(open)).toContainEqual(expect.stringMatching(says));
  });

  const text = (listing: string): string =>
    listing
      .split('\n')
      .map((line) => line.slice(line.indexOf('|') + 1))
      .join('\n')
      .replace('.include "mill_setjmp.s"', readFileSync(join(ROOT, 'asm/mill_setjmp.s'), 'utf8'));
  it.skipIf(!hasGnu).each([
    ['instructions', INSTRUCTIONS],
    ['switches', pingPongListing()],
  ])('runs the %s that its listing says, by GNU as', (_what, listing) => {
    expect(Buffer.from(bytesOf(listing)).toString('hex')).toBe(gnuCode(`${text(listing)}\n`).toString('hex'));
  });
});

describe('an engine', () => {
  it('that is broken is not measured, and is no engine to run programs on', async () => {
    const { open } = BROKEN['a register lost in a switch'];
    const report = await examineEngine('unicorn.js', async () => {}, open);
    expect(report).toMatchObject({ state: 'broken', version: 'unicorn.js 1.0.3', yieldsPerSecond: null });
    expect(problemOf('unicorn.js', [report])).toMatch(
      /^the engine that is chosen, unicorn\.js, does not work: it fails/,
    );
    const whole: Report = { ...JSON.parse(millscopeAlone(['doctor', '--json']).stdout), engines: [report] };
    const shown = reportText(whole, colors(false));
    expect(shown).toMatch(/^│ unicorn\.js │ unicorn\.js 1\.0\.3 │ failed +│ +│ +│$/m);
    expect(shown).toMatch(/^unicorn\.js: switch 3 gives coroutine 1 /m);
  });

  it('that does not load for a reason of its own is broken, not missing', async () => {
    const load = async (): Promise<void> => {
      throw new SyntaxError('half a file');
    };
    const report = await examineEngine('unicorn.js', load, () => openCpu());
    expect(report).toMatchObject({ state: 'broken', problems: ['it does not start: SyntaxError: half a file'] });
  });

  it('that is not installed is missing, and says what to do', async () => {
    const load = async (): Promise<void> => {
      throw new EngineError('npm install koffi');
    };
    const report = await examineEngine('native', load, () => openCpu());
    expect(report).toMatchObject({ state: 'missing', problems: ['npm install koffi'], selfTestMs: null });
    expect(problemOf('native', [report])).toMatch(/native, does not work: npm install koffi$/);
  });
});

describe('millscope doctor', () => {
  it('shows engines and tools in 80 columns', () => {
    const { status, stdout, stderr } = millscopeAlone(['doctor']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(stdout.split('\n', 1)[0]).toBe(
      `millscope ${version}, Node ${process.versions.node} (>=20), ${process.platform} ${process.arch}, colours off`,
    );
    expect(stdout).toMatch(/^│ unicorn\.js │ unicorn\.js 1\.0\.3 │ passed, \d+ ms +│ +[\d,]+ │ +[\d,]+ │$/m);
    expect(stdout).toMatch(/^│ Keystone +│ 0\.9\.2 +│ assembles/m);
    expect(stdout).toMatch(/^│ Capstone +│ 5\.0\.9 +│ /m);
    expect(stdout).toMatch(/^│ gdb +│ (\d+\.\d+\S*|not found) +│ /m);
    const tables = stdout.split('\n').filter((line) => /^[│┌├└]/.test(line));
    expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('prints the same as data', () => {
    const { status, stdout } = millscopeAlone(['doctor', '--json'], {
      FORCE_COLOR: '1',
      CC: '/nowhere/cc',
      CXX: 'sh -c',
      MILLSCOPE_ENGINE: '',
    });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(stdout).not.toContain(ESCAPE);
    const report: Report = JSON.parse(stdout);
    expect(report).toMatchObject({
      node: { version: process.versions.node, needed: '>=20', suffices: true },
      colors: true,
      chosenEngine: 'unicorn.js',
      engines: [{ name: 'unicorn.js', state: 'works', version: 'unicorn.js 1.0.3', problems: [] }, { name: 'native' }],
      problem: null,
    });
    for (const { state, yieldsPerSecond, stepsPerSecond, selfTestMs } of report.engines) {
      const figures = [yieldsPerSecond, stepsPerSecond, selfTestMs];
      expect(figures).toEqual(state === 'works' ? figures.map(() => expect.any(Number)) : figures.map(() => null));
    }
    expect(report.packages.map(({ name, problem }) => [name, problem])).toEqual([
      ['@specy/x86', null],
      ['koffi', null],
      ['Keystone', null],
      ['Capstone', null],
    ]);
    const version = Object.fromEntries(report.tools.map((tool) => [tool.name, tool.version]));
    expect(Object.keys(version)).toEqual([
      ...['cc', 'c++', 'gcc', 'clang', 'as', 'objdump', 'gdb', 'qemu-x86_64', 'Python unicorn'],
    ]);
    // One that is not there, and one that fails when asked.
    expect(version).toMatchObject({ cc: null, 'c++': null });
  });

  it('is well without libunicorn, and says how to get it in one line', () => {
    const { status, stdout, stderr } = millscopeAlone(['doctor'], { ...NOWHERE, MILLSCOPE_ENGINE: '' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^│ native +│ +│ not installed +│ +│ +│$/m);
    expect(stdout).toMatch(/^native: .*libunicorn2 \(apt install libunicorn2\).*brew install unicorn.*$/m);
  });

  it('fails where the engine that is chosen is not there', () => {
    const ended = millscopeAlone(['doctor'], { ...NOWHERE, MILLSCOPE_ENGINE: 'native' });
    expectComplaint(ended, 1, /the engine that is chosen, native, does not work: .*apt install libunicorn2/);
    expect(ended.stdout).toMatch(/^Programs run on native, /m);
    expect(ended.stdout).toMatch(/^│ unicorn\.js │ unicorn\.js 1\.0\.3 │ passed/m);
  });

  it('fails where there is no engine of that name', () => {
    const ended = millscopeAlone(['doctor', '--json'], { MILLSCOPE_ENGINE: 'qemu' });
    expectComplaint(ended, 1, /there is no engine "qemu".*unicorn\.js, native/);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      chosenEngine: 'qemu',
      problem: expect.stringContaining('"qemu"'),
    });
  });

  it.each([
    ['', '│ cc +│ not found'],
    ['""', '│ cc +│ not found'],
    ['/etc/passwd/cc', '│ cc +│ not found'],
  ])('does without the compiler that CC=%s names', (CC, row) => {
    const { status, stdout, stderr } = millscopeAlone(['doctor'], { ...NOWHERE, MILLSCOPE_ENGINE: '', CC });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(row));
  });

  it("does not take a file of the folder that one is in for Python's unicorn", () => {
    const trace = join(folder, 'imported');
    file('unicorn.py', `open(${JSON.stringify(trace)}, 'w')\n__version__ = '6.6.6'\n`);
    const { stdout } = spawnSync(process.execPath, [CLI, 'doctor'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...NOWHERE, MILLSCOPE_ENGINE: '' },
    });
    expect(stdout).toMatch(/│ Python unicorn +│ /);
    expect(stdout).not.toContain('6.6.6');
    expect(existsSync(trace)).toBe(false);
  });

  it('colours on request only, and not under NO_COLOR', () => {
    const shown = (args: readonly string[], env: Record<string, string>): string =>
      millscopeAlone(['doctor', ...args], { ...NOWHERE, ...env }).stdout;
    const colored = shown([], { FORCE_COLOR: '1' });
    expect(colored).toContain(`${ESCAPE}[32mpassed`);
    expect(stripVTControlCharacters(colored)).toMatch(/, colours on$/m);
    expect(shown(['--no-color'], { FORCE_COLOR: '1' })).not.toContain(ESCAPE);
    expect(shown([], { FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain(ESCAPE);
  });
});
