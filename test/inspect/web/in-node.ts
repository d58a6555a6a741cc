import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCpu } from '../../../emu/open.js';
import { REGISTER_FILE } from '../../../emu/registers.js';
import { loadEngine } from '../../../inspect/engine.js';
import { buildLesson } from '../../../inspect/lesson/folder.js';
import { type LessonJson, openLesson } from '../../../inspect/lesson/lesson.js';
import { openStage } from '../../../inspect/lesson/stage.js';
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

/** What is to be on the page at `count` moments, evenly over a lesson's run, as read from the machine itself. */
export async function shownInNode(
  site: Site,
  name: string,
  count: number,
): Promise<{ readonly moments: readonly number[]; readonly shown: readonly Shown[] }> {
  await loadEngine('unicorn.js');
  const { json } = await lessonFile(site, name);
  const [program] = openLesson(json).programs.values();
  const cpu = openCpu({ engine: 'unicorn.js' });
  try {
    const { session } = openStage(cpu, program);
    await session.go(Number.POSITIVE_INFINITY);
    const end = session.moment;
    const moments = Array.from({ length: count }, (_, index) => Math.round((end * index) / (count - 1)));
    const shown: Shown[] = [];
    for (const moment of moments) {
      await session.go(moment);
      const { process, history } = session;
      const hex = (value: bigint): string => `0x${value.toString(16)}`;
      const output = history.outputs.filter((one) => one.moment <= moment);
      shown.push({
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
      });
    }
    return { moments, shown };
  } finally {
    cpu.close();
  }
}
