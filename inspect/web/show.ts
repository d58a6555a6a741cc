import type { Cpu } from '../../emu/cpu.js';
import type { MoveOptions } from '../history.js';
import { momentsOf } from '../lesson/anchor.js';
import { judge, rightAnswer } from '../lesson/answer.js';
import { type Language, type Lesson, programOf } from '../lesson/lesson.js';
import { expected } from '../lesson/question.js';
import { openStage, type Stage } from '../lesson/stage.js';
import { type Scene, sceneOf } from '../view/scene.js';
import { Viewer } from '../view/viewer.js';
import { type Move, perform } from './moves.js';
import type { Asking, Judged, Meaning, Opened, Written } from './protocol.js';
import { meaningOf, writtenBy } from './value.js';

/** Farther than this no run is followed before somebody asks for it: half a second. */
const LOOKED_AHEAD = 500_000;

/** A lesson's program in a machine, and what the page may ask of it. */
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

  /** @param cpu an open one, which is closed with this */
  static async open(lesson: Lesson, program: string, cpu: Cpu): Promise<Show> {
    const known = lesson.programs.get(program);
    if (known === undefined) throw new Error(`the lesson has no program "${program}"`);
    const stage = openStage(cpu, known);
    return new Show(lesson, program, cpu, stage, await Viewer.open(stage.session));
  }

  /** Runs ahead, so that the whole run can be drawn, finds the passages, and goes to a moment. */
  async begin(moment: number, pinned: number | undefined, options: MoveOptions): Promise<Opened> {
    const { session } = this.#stage;
    const { passages } = this.#lesson.texts.en;
    const mine = passages.map((passage) => programOf(this.#lesson, passage) === this.#program);
    await session.go(LOOKED_AHEAD, options);
    const anchors = passages.filter((_, index) => mine[index]).map(({ anchor }) => anchor);
    const found = [...(await momentsOf(this.#stage, anchors, options))];
    this.#moments = mine.map((isMine) => (isMine ? found.shift() : undefined));
    await session.go(moment, options);
    return {
      program: this.#program,
      moments: this.#moments,
      scene: await this.look(pinned),
    };
  }

  async look(pinned: number | undefined): Promise<Scene> {
    return sceneOf(this.#stage.session, this.#viewer, pinned);
  }

  async move(move: Move, pinned: number | undefined, options: MoveOptions): Promise<Scene> {
    await perform(this.#stage.session, move, options);
    return this.look(pinned);
  }

  /** Who wrote a value last, with the session where it was. */
  async why(asking: Asking, options: MoveOptions): Promise<Written | undefined> {
    return writtenBy(this.#stage.session, this.#viewer, asking, options);
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
