import { PassThrough } from 'node:stream';
import { openCpu } from '../emu/open.js';
import { loadEngine } from '../inspect/engine.js';
import { colors } from '../inspect/format.js';
import { assembleProgram } from '../inspect/program-image.js';
import { Session } from '../inspect/session.js';
import { Screen } from '../inspect/tui/screen.js';
import { Stepper } from '../inspect/tui/stepper.js';
import { Viewer } from '../inspect/view/viewer.js';
import { libmill } from '../runtime/libmill.js';
import { Process } from '../runtime/process.js';
import { busyPipeline } from './assembly.js';
import { Contest, type Row } from './contest.js';
import { percentile } from './history.js';
import type { Effort } from './measure.js';

/** Numbers that go through the pipeline, 3,000 of which make a run of five million instructions; and a screen's size. */
const SCREENS = [
  ['short run', 30, 200, 60],
  ['long run', 3_000, 80, 24],
  ['long run', 3_000, 200, 60],
] as const;
const KEYS = 15;
/** What is pressed from moments all over the run. */
const MOVES = [
  ['one instruction', 's'],
  ['one instruction back', 'S'],
  ['over a call', 'n'],
  ['to the next switch', 't'],
  ['to the switch before', 'T'],
] as const;
const ON = 'unicorn.js';

interface Opened {
  readonly session: Session;
  readonly stepper: Stepper;
  readonly screen: Screen;
  /** Instructions of the run. */
  readonly length: number;
  close(): Promise<void>;
}

/** A stepper whose screen goes nowhere: what is left out is the terminal's own part. */
async function open(numbers: number, columns: number, rows: number): Promise<Opened> {
  process.env.NODE_ENV = 'production';
  const { show } = await import('../inspect/tui/show.js');
  await loadEngine(ON);
  const cpu = openCpu({ engine: ON });
  const program = await assembleProgram({ name: 'bench.s', text: busyPipeline(numbers) });
  const session = new Session(new Process(cpu, libmill(), program, ['bench']));
  await session.go(Number.POSITIVE_INFINITY);
  const length = session.moment;
  const viewer = await Viewer.open(session);
  const stepper = await Stepper.open(session, viewer, { columns, rows }, () => {});
  const screen = new Screen(() => {});
  screen.enter();
  const keys = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => {}, ref: () => {}, unref: () => {} });
  const end = show(stepper, screen, keys as unknown as NodeJS.ReadStream, colors(true), String, (error) => {
    throw error;
  });
  const close = async (): Promise<void> => {
    end();
    await stepper.close();
    viewer.close();
    cpu.close();
  };
  return { session, stepper, screen, length, close };
}

/** ms from a key to a screen that shows what it led to. */
async function answered({ stepper, session, screen }: Opened, key: string): Promise<number> {
  const start = performance.now();
  await press(stepper, key);
  const ms = performance.now() - start;
  const shown = new RegExp(`moment ${session.moment}\\b`);
  if (!screen.lines.some((line) => shown.test(line))) throw new Error(`moment ${session.moment} is not on the screen`);
  return ms;
}

function press(stepper: Stepper, key: string): Promise<void> {
  return new Promise((resolve) => {
    const end = stepper.subscribe(() => {
      if (!stepper.isIdle) return;
      end();
      resolve();
    });
    stepper.press(key);
  });
}

/** Answers to a key at moments all over the run, in an order that is none. */
async function times(opened: Opened, key: string, count: number): Promise<number[]> {
  const { stepper, length } = opened;
  const figures: number[] = [];
  for (let at = 0; at < count; at++) {
    stepper.press(':');
    for (const character of `at ${Math.floor((((at * 61) % count) + 0.5) * (length / count))}`)
      stepper.press(character);
    await press(stepper, 'Enter');
    figures.push(await answered(opened, key));
  }
  return figures;
}

/** How long it takes from a key to the whole picture, drawn by ink for a screen that is not there. */
export async function stepper({ rounds, divisor }: Effort): Promise<Row[]> {
  const contest = new Contest();
  const count = Math.max(4, Math.ceil(KEYS / divisor));
  const all: Opened[] = [];
  try {
    for (const [name, numbers, columns, rows] of SCREENS) {
      const opened = await open(Math.ceil(numbers / divisor), columns, rows);
      all.push(opened);
      for (const [what, key] of MOVES) {
        const label = `${what}, ${name}, ${columns}x${rows}`;
        contest.add({ what: label, on: ON }, 'ms', async () => percentile(await times(opened, key, count), 0.5));
      }
    }
    return await contest.rows({ rounds });
  } finally {
    for (const opened of all) await opened.close();
  }
}
