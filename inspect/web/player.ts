import type { Language, LessonJson } from '../lesson/lesson.js';
import type { Watched } from '../session.js';
import type { Scene } from '../view/scene.js';
import type { WatchedValue } from '../watched.js';
import { readAddress, writeAddress } from './address.js';
import type { Contents, Runtime } from './contents.js';
import { Machine, type News, Refused } from './machine.js';
import type { Move } from './moves.js';
import { passageAt } from './passage.js';
import type { Judged } from './protocol.js';
import { storedLanguage, storeLanguage } from './settings.js';
import type { Inquiry, State } from './state.js';

/** Only what takes longer is worth a word. */
const PATIENCE_MS = 250;
/** When the machine has rested for so long, the address says where it is. */
const REST_MS = 200;
export const SPEEDS = [1, 2, 4, 10, 30, 60, 600] as const;
const FRAMES_A_SECOND = 60;

/** Holds the page's state, and does what the page is asked to. */
export class Player {
  #state: State = {
    language: readAddress(location.hash).language ?? storedLanguage(),
    contents: [],
    lesson: undefined,
    program: '',
    moments: [],
    engine: { kind: 'loading', loaded: 0, total: 0 },
    scene: undefined,
    previous: undefined,
    busy: undefined,
    refused: undefined,
    passage: 0,
    pinned: undefined,
    playing: false,
    speed: 4,
    predicting: false,
    inquiry: undefined,
    stops: [],
    arrival: undefined,
    showsKeys: false,
  };
  readonly #listeners = new Set<() => void>();
  #machine: Machine;
  #runtime: Promise<Runtime> | undefined;
  readonly #files = new Map<string, Promise<LessonJson>>();
  /** What is being done. */
  #doing = false;
  /** A movement that was asked for while another one was under way. */
  #queued: { readonly move: Move; readonly passage: number | undefined } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #addressTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#machine = new Machine((news) => this.#hear(news));
  }

  get state(): State {
    return this.#state;
  }

  /** The same function always, as whoever subscribes anew each time would take time. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  /** Opens what the address says, or the first lesson. */
  async begin(): Promise<void> {
    await this.#try(async () => {
      const contents = await json<Contents>('lessons/index.json');
      this.#set({ contents });
      const { lesson } = readAddress(location.hash);
      const known = contents.find(({ name }) => name === lesson) ?? contents[0];
      const { program, moment } = readAddress(location.hash);
      await this.#open(known.name, program, moment);
    });
  }

  /** What the address says has changed under the page. */
  async follow(): Promise<void> {
    const { lesson, program, moment, language } = readAddress(location.hash);
    if (language !== undefined && language !== this.#state.language) this.speak(language);
    if (lesson === undefined) return;
    if (lesson !== this.#state.lesson?.name || (program !== undefined && program !== this.#state.program)) {
      await this.#try(() => this.#open(lesson, program, moment));
    } else if (moment !== undefined && moment !== this.#state.scene?.view.moment) this.move({ kind: 'at', moment });
  }

  /** Opens a lesson at its beginning. */
  async openLesson(name: string): Promise<void> {
    await this.#try(() => this.#open(name, undefined, undefined));
  }

  /** Goes to a passage, by its index, and to the moment it is about. */
  async toPassage(index: number): Promise<void> {
    const passage = this.#state.lesson?.texts.en.passages[index];
    if (passage === undefined) return;
    this.pause();
    if (passage.program !== this.#state.program) {
      await this.#try(() => this.#openProgram(passage.program, 0));
      if (this.#state.program !== passage.program) return;
    }
    this.#set({ passage: index });
    const moment = this.#state.moments[index];
    if (moment !== undefined) this.move({ kind: 'at', moment }, index);
  }

  async #open(name: string, program: string | undefined, moment: number | undefined): Promise<void> {
    this.pause();
    this.#runtime ??= json<Runtime>('lessons/runtime.json');
    this.#runtime.catch(() => {
      this.#runtime = undefined;
    });
    const file = this.#files.get(name) ?? json<LessonJson>(`lessons/${name}.json`);
    this.#files.set(name, file);
    // Another time it may come.
    file.catch(() => this.#files.delete(name));
    this.#set({
      lesson: undefined,
      scene: undefined,
      previous: undefined,
      moments: [],
      passage: 0,
      pinned: undefined,
      inquiry: undefined,
      refused: undefined,
    });
    const lesson = await this.#machine.ask('lesson', { lesson: await file, runtime: await this.#runtime });
    const programs = Object.keys(lesson.sources);
    this.#set({ lesson, program: programs[0] });
    const known = program !== undefined && programs.includes(program) ? program : lesson.texts.en.passages[0].program;
    await this.#openProgram(known, moment);
  }

  async #openProgram(program: string, moment: number | undefined): Promise<void> {
    const opened = await this.#while(() =>
      this.#machine.ask('open', { program, pinned: undefined, moment: moment ?? 0 }),
    );
    this.#set({
      program,
      moments: opened.moments,
      pinned: undefined,
      inquiry: undefined,
      stops: [],
      arrival: undefined,
    });
    const first = opened.moments.findIndex((one) => one !== undefined);
    const begins = opened.moments[first];
    if (moment !== undefined || begins === undefined) {
      this.#show(opened.scene, passageAt(opened.moments, first, opened.scene.view.moment));
      return;
    }
    // What is read first is about a later moment than the first one, which is libc's.
    const move = { kind: 'at', moment: begins } as const;
    const { scene } = await this.#while(() => this.#machine.ask('move', { move, pinned: undefined }));
    this.#show(scene, first);
  }

  /** Makes a movement; behind the one that is under way, if there is one. @param passage to be shown then */
  move(move: Move, passage?: number): void {
    if (this.#state.scene === undefined) return;
    if (this.#doing) {
      this.#queued = { move: together(this.#queued?.move, move), passage };
      return;
    }
    void this.#try(async () => {
      const from = this.#state.scene;
      const { scene, arrival } = await this.#while(() =>
        this.#machine.ask('move', { move, pinned: this.#state.pinned }),
      );
      const isStep = from !== undefined && scene.view.moment === from.view.moment + 1;
      this.#set({ arrival });
      this.#show(scene, passage, isStep ? from : undefined);
      // What one waits for while it plays has come.
      if (arrival.places.length + arrival.changes.length > 0) this.pause();
    });
  }

  /** Keeps a coroutine in the picture, or no longer. */
  pin(coroutine: number): void {
    this.#set({ pinned: this.#state.pinned === coroutine ? undefined : coroutine });
    this.move({ kind: 'step', count: 0 });
  }

  /** Interrupts a long movement. */
  stop(): void {
    this.pause();
    this.#queued = undefined;
    this.#machine.stop();
  }

  /** Ends the machine, whatever it does, and begins anew with another one. */
  async restart(): Promise<void> {
    this.pause();
    this.#machine.close();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#doing = false;
    this.#queued = undefined;
    this.#machine = new Machine((news) => this.#hear(news));
    this.#set({ engine: { kind: 'loading', loaded: 0, total: 0 }, busy: undefined, refused: undefined });
    const name = this.#state.lesson?.name ?? this.#state.contents[0]?.name;
    if (name === undefined) await this.begin();
    else await this.openLesson(name);
  }

  play(): void {
    if (this.#state.playing) {
      this.pause();
      return;
    }
    this.#set({ playing: true, inquiry: undefined });
    let last = performance.now();
    const frame = (now: number): void => {
      const { playing, speed, scene } = this.#state;
      if (!playing) return;
      if (scene === undefined || scene.ending !== undefined) {
        this.pause();
        return;
      }
      const due = Math.floor(((now - last) * speed) / 1000);
      if (due >= 1 && !this.#doing) {
        // What does not fit into frames goes several at a time; what was late is not caught up with.
        this.move({ kind: 'step', count: Math.max(1, Math.min(due, Math.ceil(speed / FRAMES_A_SECOND))) });
        last = Math.max(last + (due * 1000) / speed, now - 1000 / FRAMES_A_SECOND);
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  pause(): void {
    if (!this.#state.playing) return;
    this.#set({ playing: false });
    this.#keepAddress();
  }

  setSpeed(speed: number): void {
    this.#set({ speed });
  }

  setPredicting(predicting: boolean): void {
    this.pause();
    this.#set({ predicting });
  }

  showKeys(showsKeys: boolean): void {
    this.#set({ showsKeys });
  }

  speak(language: Language): void {
    storeLanguage(language);
    document.documentElement.lang = language;
    this.#set({ language });
    this.#keepAddress();
  }

  /** Asks about a number. */
  async inquire(name: string, value: bigint, asking: WatchedValue | undefined): Promise<void> {
    const moment = this.#state.scene?.view.moment ?? 0;
    this.#set({ inquiry: { name, value, asking, moment, meaning: undefined, origin: undefined } });
    const { text } = await this.#machine.ask('meaning', { value });
    const { inquiry } = this.#state;
    if (inquiry?.name === name && inquiry.value === value) this.#inquire({ meaning: text });
  }

  #inquire(change: Partial<Inquiry>): void {
    const { inquiry } = this.#state;
    if (inquiry !== undefined) this.#set({ inquiry: { ...inquiry, ...change } });
  }

  /** Asks who wrote the number that is asked about; asked again, where that came from before. */
  async who(): Promise<void> {
    const { inquiry } = this.#state;
    if (inquiry?.asking === undefined || inquiry.origin?.end === 'beginning' || this.#doing) return;
    const { asking, moment } = inquiry;
    const before = inquiry.origin?.steps ?? [];
    const last = before.at(-1);
    this.#inquire({ origin: { steps: before, end: 'searching' } });
    await this.#try(async () => {
      const found = await this.#while(() =>
        last?.from === undefined
          ? this.#machine.ask('why', { of: asking, moment })
          : this.#machine.ask('why', { of: last.from.place, moment: last.moment }),
      );
      if (this.#state.inquiry?.asking !== asking) return;
      this.#inquire({ origin: { steps: [...before, ...(found?.steps ?? [])], end: found?.end ?? 'interrupted' } });
    });
    // It could not be done: it can be asked again.
    if (this.#state.inquiry?.origin?.end === 'searching') this.#inquire({ origin: undefined });
  }

  /** Stops there from now on. */
  async watch(watched: Watched): Promise<void> {
    await this.#try(async () =>
      this.#set({ stops: await this.#machine.ask('watch', { watched }), refused: undefined }),
    );
  }

  /** Stops there no longer. */
  async unwatch(...numbers: readonly number[]): Promise<void> {
    await this.#try(async () => this.#set({ stops: await this.#machine.ask('unwatch', { numbers }) }));
  }

  /** Sets a breakpoint at a place in the code, an address or a line, or takes away those that are there. */
  async toggle(place: string): Promise<void> {
    const here = this.#state.stops.filter((stop) => stop.places.includes(place)).map(({ number }) => number);
    await (here.length > 0 ? this.unwatch(...here) : this.watch({ kind: 'place', place }));
  }

  closeInquiry(): void {
    this.#set({ inquiry: undefined });
  }

  /** Lets the machine judge an answer to a question of the passage. @returns undefined if it cannot */
  async answer(passage: number, question: number, typed: string): Promise<Judged | undefined> {
    let judged: Judged | undefined;
    await this.#try(async () => {
      const ask = { language: this.#state.language, passage, question, typed };
      judged = await this.#while(() => this.#machine.ask('answer', ask));
    });
    return judged;
  }

  #show(scene: Scene, passage?: number, previous?: Scene): void {
    const { moments, passage: before } = this.#state;
    this.#set({
      scene,
      previous,
      refused: undefined,
      // Whoever is on the way to another passage reads that one already.
      passage: this.#queued?.passage ?? passage ?? passageAt(moments, before, scene.view.moment),
    });
    // Browsers take their time for it, and count how often.
    clearTimeout(this.#addressTimer);
    this.#addressTimer = setTimeout(() => this.#keepAddress(), REST_MS);
  }

  #keepAddress(): void {
    if (this.#state.playing) return;
    const { lesson, program, scene, language } = this.#state;
    const moment = scene?.view.moment;
    const several = Object.keys(lesson?.sources ?? {}).length > 1;
    const address = { lesson: lesson?.name, program: several ? program : undefined, moment, language };
    history.replaceState(null, '', writeAddress(address));
  }

  /** One thing at a time; what takes longer is said. */
  async #while<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#doing = true;
    this.#timer ??= setTimeout(() => this.#set({ busy: { moment: undefined } }), PATIENCE_MS);
    try {
      return await act();
    } finally {
      this.#doing = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (this.#state.busy !== undefined) this.#set({ busy: undefined });
    }
  }

  /** Does something, says why it could not be done, and goes on to what was asked for meanwhile. */
  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refused || error instanceof TypeError)) throw error;
      this.#set({ refused: error.message, playing: false });
    } finally {
      const next = this.#queued;
      if (next !== undefined && !this.#doing) {
        this.#queued = undefined;
        this.move(next.move, next.passage);
      }
    }
  }

  #hear(news: News): void {
    if (news.kind === 'progress') {
      if (this.#state.busy !== undefined) this.#set({ busy: { moment: news.moment } });
    } else this.#set({ engine: news });
  }
}

/** Steps add up; of other movements the last one counts. */
function together(one: Move | undefined, other: Move): Move {
  if (one?.kind !== 'step' || other.kind !== 'step') return other;
  return { kind: 'step', count: one.count + other.count };
}

async function json<Content>(name: string): Promise<Content> {
  const response = await fetch(name);
  if (!response.ok) throw new Refused(`${name} did not come: ${response.status}`);
  return (await response.json()) as Content;
}
