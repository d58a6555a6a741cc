import type { Cpu } from '../../emu/cpu.js';
import type { MoveOptions } from '../history.js';
import { momentsOf } from '../lesson/anchor.js';
import { judge, rightAnswer } from '../lesson/answer.js';
import { type Language, type Lesson, programOf } from '../lesson/lesson.js';
import { expected } from '../lesson/question.js';
import { openStage, type Stage } from '../lesson/stage.js';
import { scenesFrom } from '../picture/scenes.js';
import type { Place } from '../provenance/place.js';
import type { Provenance } from '../provenance/step.js';
import type { Watched } from '../session.js';
import { stoppedAt } from '../stops.js';
import { endingOf } from '../view/ending.js';
import { outputView } from '../view/output.js';
import { type Scene, sceneOf } from '../view/scene.js';
import { Viewer } from '../view/viewer.js';
import { placeOfWatched, type WatchedValue } from '../watched.js';
import type { Listing } from './listing.js';
import { type Move, perform } from './moves.js';
import type { Arrival, Judged, Meaning, Opened, Stop } from './protocol.js';
import { stopsOf } from './stop.js';
import { meaningOf } from './value.js';

/** Farther than this no run is followed before somebody asks for it: half a second. */
const LOOKED_AHEAD = 500_000;
/** So much of a value's way is told at once. */
const STEPS = 6;

/** What a program belongs to that no lesson is about. */
const NO_TEXT = { title: '', introduction: '', passages: [] };
const NO_LESSON: Lesson = { name: '', programs: new Map(), texts: { en: NO_TEXT, zh: NO_TEXT } };

/** How much of the output of a whole run is told. */
const LINES = 200;

/** A program in a machine, mostly a lesson's, and what the page may ask of it. */
export class Show {
  readonly #lesson: Lesson;
  readonly #program: string;
  readonly #cpu: Cpu;
  readonly #stage: Stage;
  readonly #viewer: Viewer;
  /** Of the lesson's passages; undefined for those about another program. */
  #moments: readonly (number | undefined)[] = [];

  private constructor(lesson: Lesson, program: string, cpu: Cpu, stage: Stage, viewer: Viewer) {
    this.#lesson = lesson;
    this.#program = program;
    this.#cpu = cpu;
    this.#stage = stage;
    this.#viewer = viewer;
  }

  /**
   * @param cpu an open one, which is closed with this
   * @param instructions of the program and of the runtime
   */
  static async open(lesson: Lesson, program: string, instructions: Listing, cpu: Cpu): Promise<Show> {
    const known = lesson.programs.get(program);
    if (known === undefined) throw new Error(`the lesson has no program "${program}"`);
    const stage = openStage(cpu, known);
    return new Show(lesson, program, cpu, stage, await Viewer.open(stage.session, { instructions }));
  }

  /** Of a program that is in a machine already. */
  static async of(stage: Stage, instructions: Listing, cpu: Cpu): Promise<Show> {
    return new Show(NO_LESSON, '', cpu, stage, await Viewer.open(stage.session, { instructions }));
  }

  /**
   * Runs ahead, so that the whole run can be drawn, finds the passages, and goes to a moment.
   * @param moment undefined for the one that is read about first
   */
  async begin(moment: number | undefined, pinned: number | undefined, options: MoveOptions): Promise<Opened> {
    const { session } = this.#stage;
    const { passages } = this.#lesson.texts.en;
    const mine = passages.map((passage) => programOf(this.#lesson, passage) === this.#program);
    await session.go(LOOKED_AHEAD, options);
    const outcome = {
      moment: session.moment,
      output: outputView(session, LINES),
      ending: endingOf(session.process, session.outcome),
    };
    const anchors = passages.filter((_, index) => mine[index]).map(({ anchor }) => anchor);
    const found = [...(await momentsOf(this.#stage, anchors, options))];
    this.#moments = mine.map((isMine) => (isMine ? found.shift() : undefined));
    await session.go(moment ?? this.#moments.find((one) => one !== undefined) ?? 0, options);
    return {
      program: this.#program,
      moments: this.#moments,
      scene: await this.look(pinned),
      outcome,
    };
  }

  async look(pinned: number | undefined): Promise<Scene> {
    return sceneOf(this.#stage.session, this.#viewer, pinned);
  }

  async move(
    move: Move,
    pinned: number | undefined,
    options: MoveOptions,
  ): Promise<{ readonly scene: Scene; readonly arrival: Arrival }> {
    const { session } = this.#stage;
    const missed = !(await perform(session, move, options));
    const arrival = { ...(await stoppedAt(session)), missed };
    return { scene: await this.look(pinned), arrival };
  }

  /** The moment that is shown and those behind it, with the session where it was. */
  async scenes(steps: number): Promise<readonly Scene[]> {
    const { session } = this.#stage;
    const here = session.moment;
    try {
      return await scenesFrom(session, this.#viewer, here, steps);
    } finally {
      await session.go(here);
    }
  }

  /** Why something holds what it holds at a moment, with the session where it was; undefined if it did not come there. */
  async why(of: WatchedValue | Place, moment: number, options: MoveOptions): Promise<Provenance | undefined> {
    const { session } = this.#stage;
    const here = session.moment;
    const { originOf } = await import('./origin.js');
    try {
      await session.go(moment, options);
      if (session.moment !== moment) return undefined;
      const place = isWatched(of) ? placeOfWatched(session, of) : of;
      return await originOf(session, place, { ...options, steps: STEPS });
    } finally {
      await session.go(here);
    }
  }

  /** Sets a breakpoint or a watchpoint. @returns all */
  watch(watched: Watched): readonly Stop[] {
    this.#stage.session.watch(watched);
    return stopsOf(this.#stage.session);
  }

  /** Takes some away. @returns all that are left */
  unwatch(numbers: readonly number[]): readonly Stop[] {
    for (const number of numbers) this.#stage.session.unwatch(number);
    return stopsOf(this.#stage.session);
  }

  meaning(value: bigint): Meaning {
    return meaningOf(this.#stage.session.process, value);
  }

  /** Judges an answer to a question of the lesson; the machine is asked what is right. */
  async answer(
    language: Language,
    passage: number,
    question: number,
    typed: string,
    options: MoveOptions,
  ): Promise<Judged> {
    const { session } = this.#stage;
    const here = session.moment;
    const asked = this.#lesson.texts[language].passages[passage].questions[question];
    const right = await expected(this.#stage, asked, this.#moments[passage] ?? 0, options);
    await session.go(here, options);
    return { verdict: judge(right, typed), right: rightAnswer(right, language) };
  }

  close(): void {
    this.#viewer.close();
    this.#cpu.close();
  }
}

function isWatched(of: WatchedValue | Place): of is WatchedValue {
  return of.kind === 'slot' || 'register' in of;
}
