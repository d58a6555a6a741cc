import type { LessonJson } from '../lesson/lesson.js';
import { readAddress, writeAddress } from './address.js';
import type { Contents, Runtime } from './contents.js';
import { getJson } from './json.js';
import type { Place, Player } from './player.js';
import type { Judged, LessonPage } from './protocol.js';
import { Store } from './store.js';

/** What is read. */
export interface Reading {
  readonly contents: Contents;
  readonly lesson: LessonPage | undefined;
  /** The lesson's program that is in the machine. */
  readonly program: string;
}

/** The place for lessons. */
export class Reader extends Store<Reading> implements Place {
  readonly #player: Player;
  #runtime: Promise<Runtime> | undefined;
  readonly #files = new Map<string, Promise<LessonJson>>();

  constructor(player: Player) {
    super({ contents: [], lesson: undefined, program: '' });
    this.#player = player;
  }

  /** Opens what the address says; without a word of it, the lesson that was read last, or the first one. */
  async enter(hash: string): Promise<void> {
    this.#player.clear(this);
    await this.#player.attempt(async () => {
      const contents = await getJson<Contents>('lessons/index.json');
      this.set({ contents });
      const { lesson, program, moment } = readAddress(hash);
      const wanted = lesson ?? this.state.lesson?.name;
      const known = contents.find(({ name }) => name === wanted) ?? contents[0];
      await this.#open(known.name, program, moment);
    });
  }

  /** What the address says has changed under the page. */
  async follow(hash: string): Promise<void> {
    const { lesson, program, moment } = readAddress(hash);
    if (lesson === undefined) return;
    if (lesson !== this.state.lesson?.name || (program !== undefined && program !== this.state.program)) {
      await this.#player.attempt(() => this.#open(lesson, program, moment));
    } else if (moment !== undefined && moment !== this.#player.state.scene?.view.moment) {
      this.#player.move({ kind: 'at', moment });
    }
  }

  /** Opens a lesson at its beginning. */
  async openLesson(name: string): Promise<void> {
    await this.#player.attempt(() => this.#open(name, undefined, undefined));
  }

  /** Goes to a passage, by its index, and to the moment it is about. */
  async toPassage(index: number): Promise<void> {
    const passage = this.state.lesson?.texts.en.passages[index];
    if (passage === undefined) return;
    this.#player.pause();
    if (passage.program !== this.state.program) {
      await this.#player.attempt(() => this.#openProgram(passage.program, 0));
      if (this.state.program !== passage.program) return;
    }
    this.#player.read(index);
    const moment = this.#player.state.moments[index];
    if (moment !== undefined) this.#player.move({ kind: 'at', moment }, index);
  }

  /** Lets the machine judge an answer to a question of the passage. @returns undefined if it cannot */
  async answer(passage: number, question: number, typed: string): Promise<Judged | undefined> {
    let judged: Judged | undefined;
    await this.#player.attempt(async () => {
      const { language } = this.#player.state;
      judged = await this.#player.ask('answer', { language, passage, question, typed });
    });
    return judged;
  }

  rest(): void {
    const { lesson, program } = this.state;
    const { scene, language } = this.#player.state;
    const several = Object.keys(lesson?.sources ?? {}).length > 1;
    const moment = scene?.view.moment;
    const address = { lesson: lesson?.name, program: several ? program : undefined, moment, language };
    history.replaceState(null, '', writeAddress(address));
  }

  async reopen(): Promise<void> {
    const name = this.state.lesson?.name ?? this.state.contents[0]?.name;
    if (name === undefined) await this.enter(location.hash);
    else await this.openLesson(name);
  }

  async #open(name: string, program: string | undefined, moment: number | undefined): Promise<void> {
    this.#player.clear(this);
    this.#runtime ??= getJson<Runtime>('lessons/runtime.json');
    this.#runtime.catch(() => {
      this.#runtime = undefined;
    });
    const file = this.#files.get(name) ?? getJson<LessonJson>(`lessons/${name}.json`);
    this.#files.set(name, file);
    // Another time it may come.
    file.catch(() => this.#files.delete(name));
    this.set({ lesson: undefined });
    const opened = { lesson: await file, runtime: await this.#runtime };
    const lesson = await this.#player.ask('lesson', opened);
    const programs = Object.keys(lesson.sources);
    this.set({ lesson, program: programs[0] });
    const known = program !== undefined && programs.includes(program) ? program : lesson.texts.en.passages[0].program;
    await this.#openProgram(known, moment);
  }

  async #openProgram(program: string, moment: number | undefined): Promise<void> {
    const opened = await this.#player.ask('open', { program, pinned: undefined, moment });
    this.set({ program });
    this.#player.open(opened, this.state.lesson?.sources[program] ?? []);
  }
}
