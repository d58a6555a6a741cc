import type { Source } from '../../asm/statement.js';
import type { Language } from '../lesson/lesson.js';
import type { Watched } from '../session.js';
import type { Scene } from '../view/scene.js';
import type { WatchedValue } from '../watched.js';
import { readAddress } from './address.js';
import { Machine, type News } from './machine.js';
import type { Move } from './moves.js';
import { passageAt } from './passage.js';
import type { Kind, Opened, Requests } from './protocol.js';
import { storedLanguage, storeLanguage } from './settings.js';
import type { Inquiry, State } from './state.js';
import { Store } from './store.js';
import { Refused } from './thread.js';

/** Whoever has put a program into the machine. */
export interface Place {
  /** The machine rests: the address may say where. */
  rest(): void;
  /** The machine is a new one, and empty. */
  reopen(): Promise<void>;
}

/** Only what takes longer is worth a word. */
const PATIENCE_MS = 250;
/** When the machine has rested for so long, the address says where it is. */
const REST_MS = 200;
export const SPEEDS = [1, 2, 4, 10, 30, 60, 600] as const;
const FRAMES_A_SECOND = 60;

/** What the machine has none of, as long as it has no program. */
const EMPTY = {
  sources: [],
  moments: [],
  scene: undefined,
  previous: undefined,
  refused: undefined,
  passage: 0,
  pinned: undefined,
  inquiry: undefined,
  stops: [],
  arrival: undefined,
} as const satisfies Partial<State>;

/** The machine, and what moves it: the same in all places. */
export class Player extends Store<State> {
  #machine: Machine;
  #place: Place | undefined;
  /** What is being done. */
  #doing = false;
  /** A movement that was asked for while another one was under way. */
  #queued: { readonly move: Move; readonly passage: number | undefined } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #addressTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super({
      ...EMPTY,
      language: readAddress(location.hash).language ?? storedLanguage(),
      engine: { kind: 'loading', loaded: 0, total: 0 },
      busy: undefined,
      playing: false,
      speed: 4,
      predicting: false,
      showsKeys: false,
    });
    this.#machine = new Machine((news) => this.#hear(news));
  }

  /** Takes the program out of the picture. @param place whose the next one will be */
  clear(place: Place): void {
    clearTimeout(this.#addressTimer);
    this.#place = place;
    this.#queued = undefined;
    this.set({ ...EMPTY, playing: false });
  }

  /** Whether the program is of that place. */
  isAt(place: Place): boolean {
    return this.#place === place;
  }

  /** Shows a program that has been put into the machine. */
  open({ scene, moments }: Opened, sources: readonly Source[]): void {
    this.set({ ...EMPTY, sources, moments, scene: this.state.scene });
    const first = moments.findIndex((one) => one !== undefined);
    this.#show(scene, passageAt(moments, first, scene.view.moment));
  }

  /** Asks the machine, and says so if it takes longer. @throws Refused */
  ask<K extends Kind>(kind: K, ask: Requests[K]['ask']): Promise<Requests[K]['reply']> {
    return this.#while(() => this.#machine.ask(kind, ask));
  }

  /** Reads on at a mark. */
  read(passage: number): void {
    this.set({ passage });
  }

  /** Makes a movement; behind the one that is under way, if there is one. @param passage to be shown then */
  move(move: Move, passage?: number): void {
    if (this.state.scene === undefined) return;
    if (this.#doing) {
      this.#queued = { move: together(this.#queued?.move, move), passage };
      return;
    }
    void this.attempt(async () => {
      const from = this.state.scene;
      const { scene, arrival } = await this.ask('move', { move, pinned: this.state.pinned });
      const isStep = from !== undefined && scene.view.moment === from.view.moment + 1;
      this.set({ arrival });
      this.#show(scene, passage, isStep ? from : undefined);
      // What one waits for while it plays has come.
      if (arrival.places.length + arrival.changes.length > 0) this.pause();
    });
  }

  /** Keeps a coroutine in the picture, or no longer. */
  pin(coroutine: number): void {
    this.set({ pinned: this.state.pinned === coroutine ? undefined : coroutine });
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
    this.set({ engine: { kind: 'loading', loaded: 0, total: 0 }, busy: undefined, refused: undefined });
    await this.#place?.reopen();
  }

  play(): void {
    if (this.state.playing) {
      this.pause();
      return;
    }
    this.set({ playing: true, inquiry: undefined });
    let last = performance.now();
    const frame = (now: number): void => {
      const { playing, speed, scene } = this.state;
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
    if (!this.state.playing) return;
    this.set({ playing: false });
    this.#rest();
  }

  setSpeed(speed: number): void {
    this.set({ speed });
  }

  setPredicting(predicting: boolean): void {
    this.pause();
    this.set({ predicting });
  }

  showKeys(showsKeys: boolean): void {
    this.set({ showsKeys });
  }

  speak(language: Language): void {
    storeLanguage(language);
    document.documentElement.lang = language;
    this.set({ language });
    this.#rest();
  }

  /** Asks about a number. */
  async inquire(name: string, value: bigint, asking: WatchedValue | undefined): Promise<void> {
    const moment = this.state.scene?.view.moment ?? 0;
    this.set({ inquiry: { name, value, asking, moment, meaning: undefined, origin: undefined } });
    const { text } = await this.#machine.ask('meaning', { value });
    const { inquiry } = this.state;
    if (inquiry?.name === name && inquiry.value === value) this.#inquire({ meaning: text });
  }

  #inquire(change: Partial<Inquiry>): void {
    const { inquiry } = this.state;
    if (inquiry !== undefined) this.set({ inquiry: { ...inquiry, ...change } });
  }

  /** Asks who wrote the number that is asked about; asked again, where that came from before. */
  async who(): Promise<void> {
    const { inquiry } = this.state;
    if (inquiry?.asking === undefined || inquiry.origin?.end === 'beginning' || this.#doing) return;
    const { asking, moment } = inquiry;
    const before = inquiry.origin?.steps ?? [];
    const last = before.at(-1);
    this.#inquire({ origin: { steps: before, end: 'searching' } });
    await this.attempt(async () => {
      const of = last?.from?.place ?? asking;
      const found = await this.ask('why', { of, moment: last?.from === undefined ? moment : last.moment });
      if (this.state.inquiry?.asking !== asking) return;
      this.#inquire({ origin: { steps: [...before, ...(found?.steps ?? [])], end: found?.end ?? 'interrupted' } });
    });
    // It could not be done: it can be asked again.
    if (this.state.inquiry?.origin?.end === 'searching') this.#inquire({ origin: undefined });
  }

  /** Stops there from now on. */
  async watch(watched: Watched): Promise<void> {
    await this.attempt(async () =>
      this.set({ stops: await this.#machine.ask('watch', { watched }), refused: undefined }),
    );
  }

  /** Stops there no longer. */
  async unwatch(...numbers: readonly number[]): Promise<void> {
    await this.attempt(async () => this.set({ stops: await this.#machine.ask('unwatch', { numbers }) }));
  }

  /** Sets a breakpoint at a place in the code, an address or a line, or takes away those that are there. */
  async toggle(place: string): Promise<void> {
    const here = this.state.stops.filter((stop) => stop.places.includes(place)).map(({ number }) => number);
    await (here.length > 0 ? this.unwatch(...here) : this.watch({ kind: 'place', place }));
  }

  closeInquiry(): void {
    this.set({ inquiry: undefined });
  }

  #show(scene: Scene, passage?: number, previous?: Scene): void {
    const { moments, passage: before } = this.state;
    this.set({
      scene,
      previous,
      refused: undefined,
      // Whoever is on the way to another passage reads that one already.
      passage: this.#queued?.passage ?? passage ?? passageAt(moments, before, scene.view.moment),
    });
    // Browsers take their time for it, and count how often.
    clearTimeout(this.#addressTimer);
    this.#addressTimer = setTimeout(() => this.#rest(), REST_MS);
  }

  #rest(): void {
    if (!this.state.playing) this.#place?.rest();
  }

  /** One thing at a time; what takes longer is said. */
  async #while<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#doing = true;
    this.#timer ??= setTimeout(() => this.set({ busy: { moment: undefined } }), PATIENCE_MS);
    try {
      return await act();
    } finally {
      this.#doing = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (this.state.busy !== undefined) this.set({ busy: undefined });
    }
  }

  /** Does something, says why it could not be done, and goes on to what was asked for meanwhile. */
  async attempt(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof Refused || error instanceof TypeError)) throw error;
      this.set({ refused: error.message, playing: false });
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
      if (this.state.busy !== undefined) this.set({ busy: { moment: news.moment } });
    } else this.set({ engine: news });
  }
}

/** Steps add up; of other movements the last one counts. */
function together(one: Move | undefined, other: Move): Move {
  if (one?.kind !== 'step' || other.kind !== 'step') return other;
  return { kind: 'step', count: one.count + other.count };
}
