import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCpu } from '../../../emu/open.js';
import { REGISTER_FILE } from '../../../emu/registers.js';
import { loadEngine } from '../../../inspect/engine.js';
import { buildLesson } from '../../../inspect/lesson/folder.js';
import { type LessonJson, openLesson } from '../../../inspect/lesson/lesson.js';
import { openStage } from '../../../inspect/lesson/stage.js';
import { whyRegister } from '../../../inspect/provenance/why.js';
import type { Session } from '../../../inspect/session.js';
import { CTX_SLOTS, MILL_CR, offsets } from '../../../runtime/layout.js';
import type { Site } from './site.js';

const ENDLESS = fileURLToPath(new URL('./endless', import.meta.url));
const CTX = offsets(MILL_CR).ctx;

/** A lesson as the site has it; `endless` is one for this test. */
export async function lessonFile(
  site: Site,
  name: string,
): Promise<{ readonly json: LessonJson; readonly passages: number }> {
  const json: LessonJson =
    name === 'endless'
      ? await buildLesson(ENDLESS)
      : JSON.parse(readFileSync(join(site.folder, `lessons/${name}.json`), 'utf8'));
  return { json, passages: openLesson(json).texts.en.passages.length };
}

/** What is to be on the page. */
export interface Shown {
  readonly registers: readonly (readonly [name: string, value: string])[];
  /** By id: the ten slots. */
  readonly coroutines: ReadonlyMap<string, readonly string[]>;
  readonly output: string;
}

/** Runs something with the first program of a lesson, in a session that has been to its end. */
async function withLesson<Result>(
  site: Site,
  name: string,
  act: (session: Session, end: number) => Promise<Result>,
): Promise<Result> {
  await loadEngine('unicorn.js');
  const { json } = await lessonFile(site, name);
  const [program] = openLesson(json).programs.values();
  const cpu = openCpu({ engine: 'unicorn.js' });
  try {
    const { session } = openStage(cpu, program);
    await session.go(Number.POSITIVE_INFINITY);
    return await act(session, session.moment);
  } finally {
    cpu.close();
  }
}

/** What is to be on the page at `count` moments, evenly over a lesson's run, as read from the machine itself. */
export async function shownInNode(
  site: Site,
  name: string,
  count: number,
): Promise<{ readonly moments: readonly number[]; readonly shown: readonly Shown[] }> {
  return withLesson(site, name, async (session, end) => {
    const moments = Array.from({ length: count }, (_, index) => Math.round((end * index) / (count - 1)));
    const shown: Shown[] = [];
    for (const moment of moments) {
      await session.go(moment);
      shown.push(shownNow(session));
    }
    return { moments, shown };
  });
}

/** What is to be on the page at the session's moment, as read from the machine itself. */
export function shownNow({ process, history, moment }: Session): Shown {
  const { cpu } = process;
  const output = history.outputs.filter((one) => one.moment <= moment);
  return {
    registers: REGISTER_FILE.map((register): [string, string] => [register, hex(cpu.read(register))]),
    coroutines: new Map(
      process
        .coroutines()
        .map((cr) => [
          String(process.mill.census.id(cr)),
          CTX_SLOTS.map((_, slot) => hex(cpu.memory.u64(cr + CTX + slot * 8))),
        ]),
    ),
    output: output.map(({ bytes }) => new TextDecoder().decode(bytes)).join('') || 'nothing yet',
  };
}

/** A value's way: moments and values, the last write first. */
export type Chain = readonly { readonly moment: number; readonly value: string }[];

/** From where rsi has come, at the last moment of a lesson's run but one. */
export async function chainInNode(
  site: Site,
  name: string,
): Promise<{ readonly moment: number; readonly chain: Chain }> {
  return withLesson(site, name, async (session, end) => {
    await session.go(end - 1);
    const { steps } = await whyRegister(session, 'rsi');
    return { moment: end - 1, chain: steps.map(({ moment, after }) => ({ moment, value: hex(after) })) };
  });
}

/** Where a run is to stop, as single steps tell. */
export interface Stops {
  /** All moments at which the guest is at the instruction that it is at most often. */
  readonly breakpoint: readonly number[];
  /** Moments behind each instruction that has changed rbx. */
  readonly changes: readonly { readonly moment: number; readonly before: string; readonly after: string }[];
}

/** Steps through a lesson's run from its start. */
export async function stopsInNode(site: Site, name: string): Promise<Stops> {
  return withLesson(site, name, async (session, end) => {
    await session.go(0);
    const { process } = session;
    const { cpu } = process;
    const visits = new Map<number, number[]>();
    const changes: Stops['changes'][number][] = [];
    let rbx = cpu.read('rbx');
    process.step(end, () => {
      const { rip, moment } = cpu;
      visits.set(rip, [...(visits.get(rip) ?? []), moment]);
      const now = cpu.read('rbx');
      if (now !== rbx) changes.push({ moment, before: hex(rbx), after: hex(now) });
      rbx = now;
    });
    const [breakpoint] = [...visits.values()].sort((one, other) => other.length - one.length);
    return { breakpoint, changes };
  });
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
