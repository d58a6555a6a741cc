/** The page's machine: unicorn.js and a session, in a thread of their own. */
import type { Cpu } from '../../emu/cpu.js';
import type { MoveOptions } from '../history.js';
import { type Lesson, openLesson } from '../lesson/lesson.js';
import type { Runtime } from './contents.js';
import { loadEngine, openCpu } from './engine.js';
import { lessonPage } from './lesson-page.js';
import { Listing } from './listing.js';
import type { FromWorker, Kind, Requests, ToWorker } from './protocol.js';
import { stageOf } from './run.js';
import { Show } from './show.js';

const tell = (message: FromWorker): void => self.postMessage(message);

/** So often it is said where a long move is. */
const PATIENCE_MS = 250;

/** The engine is on its way from the beginning, whatever is asked for. */
const engine: Promise<(memory?: number) => Cpu> = loadEngine((loaded, total) =>
  tell({ kind: 'loading', loaded, total }),
).then(() => {
  tell({ kind: 'ready' });
  return openCpu;
});
engine.catch((error: unknown) => tell({ kind: 'broken', message: messageOf(error) }));

let lesson: Lesson | undefined;
let runtime: Runtime | undefined;
let show: Show | undefined;
let interrupt = new AbortController();

function inLesson(): Lesson {
  if (lesson === undefined) throw new Error('no lesson is open');
  return lesson;
}

function shown(): Show {
  if (show === undefined) throw new Error('no program is open');
  return show;
}

const ANSWERS: {
  readonly [K in Kind]: (ask: Requests[K]['ask'], options: MoveOptions) => Promise<Requests[K]['reply']>;
} = {
  async lesson(ask) {
    lesson = openLesson(ask.lesson);
    runtime = ask.runtime;
    return lessonPage(lesson, ask.runtime.sources);
  },
  async open({ program, pinned, moment }, options) {
    const open = await engine;
    show?.close();
    const listing = new Listing(inLesson().programs.get(program)?.listing ?? [], runtime?.listing ?? []);
    show = await Show.open(inLesson(), program, listing, open());
    return show.begin(moment, pinned, options);
  },
  async run({ program, listing, options: said, moment }, options) {
    const open = await engine;
    show?.close();
    show = undefined;
    const cpu = open(said.memory << 20);
    try {
      show = await Show.of(stageOf(cpu, program, said), new Listing(program.listing, listing), cpu);
    } catch (error) {
      cpu.close();
      throw error;
    }
    return show.begin(moment, undefined, options);
  },
  move: async ({ move, pinned }, options) => shown().move(move, pinned, options),
  scenes: async ({ steps }) => shown().scenes(steps),
  why: async ({ of, moment }, options) => shown().why(of, moment, options),
  watch: async ({ watched }) => shown().watch(watched),
  unwatch: async ({ numbers }) => shown().unwatch(numbers),
  meaning: async ({ value }) => shown().meaning(value),
  answer: async ({ language, passage, question, typed }, options) =>
    shown().answer(language, passage, question, typed, options),
};

/** One thing after the other: there is one machine. */
let last: Promise<unknown> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  if (data.kind === 'stop') {
    interrupt.abort();
    return;
  }
  last = last.then(() => answer(data));
};

async function answer(request: Exclude<ToWorker, { kind: 'stop' }>): Promise<void> {
  const { number, kind, ask } = request;
  interrupt = new AbortController();
  let told = performance.now();
  const progress = (moment: number): void => {
    if (performance.now() - told < PATIENCE_MS) return;
    told = performance.now();
    tell({ kind: 'progress', moment });
  };
  const options: MoveOptions = { signal: interrupt.signal, progress };
  try {
    // Each request's kind names what it carries, which the type of a table cannot say.
    const handle = ANSWERS[kind] as (ask: unknown, options: MoveOptions) => Promise<unknown>;
    tell({ kind: 'reply', number, reply: await handle(ask, options) });
  } catch (error) {
    tell({ kind: 'refused', number, message: messageOf(error) });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
