import { explain } from '../explain.js';
import type { MoveOptions } from '../history.js';
import { ending, STATUS } from '../outcome.js';
import { addressesOf } from '../places.js';
import type { Session } from '../session.js';
import { stoppedAt } from '../stops.js';
import type { Extent, MomentView, Viewer } from '../view/viewer.js';
import { COMMANDS, execute } from './commands.js';
import type { Controls } from './controls.js';
import { helpLines } from './help.js';
import { commandOfKey } from './keys.js';
import { areasOf, FOOT, type Layout, layoutOf, PANES, type PaneName } from './layout.js';
import type { PaneInput } from './pane.js';
import { movedSelection, paneText, subjectOf } from './panes.js';
import { edited, newPrompt, type Prompt } from './prompt.js';
import { stoppedText } from './stops.js';
import { watchedText } from './subjects.js';

/** Text in the place of the panes. */
export interface Overlay {
  readonly title: string;
  readonly lines: readonly string[];
  /** Index of the first line that is seen. */
  readonly top: number;
  /** To which the digits from 1 go. */
  readonly moments: readonly number[];
}

/** Everything that is on the screen. Replaced, never changed. */
export interface State {
  readonly view: MomentView;
  readonly layout: Layout | undefined;
  readonly columns: number;
  readonly rows: number;
  readonly message: { readonly text: string; readonly isError: boolean };
  /** A move that is under way: where it is, and how much of it is done, from 0 to 1, if that is known. */
  readonly busy: { readonly moment: number; readonly part: number | undefined } | undefined;
  readonly prompt: Prompt | undefined;
  readonly overlay: Overlay | undefined;
  readonly focus: PaneName;
  readonly isZoomed: boolean;
  /** Keys of the selected lines. */
  readonly selection: Readonly<Partial<Record<PaneName, string>>>;
  readonly stops: PaneInput['stops'];
}

const SWITCHES_AROUND = 4;
/** Of a move that takes no longer than this, in ms, no progress is shown. */
const QUICK_MS = 150;

/** Turns keys into moves of a session, and keeps what the screen shows. It knows no terminal. */
export class Stepper {
  readonly session: Session;
  readonly #viewer: Viewer;
  readonly #listeners = new Set<() => void>();
  readonly #quit: (status: number) => void;
  #state: State;
  #follow: number | undefined;
  #queue: (() => Promise<void>)[] = [];
  #isWorking = false;
  #working: Promise<void> | undefined;
  #isClosed = false;
  /** What is to be shown with the next picture. */
  #later: Partial<State> = {};
  #move: AbortController | undefined;
  readonly #history: string[] = [];

  private constructor(session: Session, viewer: Viewer, state: State, quit: (status: number) => void) {
    this.session = session;
    this.#viewer = viewer;
    this.#state = state;
    this.#quit = quit;
  }

  /** @param quit is called with an exit status when the person wants no more */
  static async open(
    session: Session,
    viewer: Viewer,
    { columns, rows }: { readonly columns: number; readonly rows: number },
    quit: (status: number) => void,
  ): Promise<Stepper> {
    const view = await viewer.look(extentOf(columns, rows));
    const stepper = new Stepper(
      session,
      viewer,
      {
        view,
        layout: layoutOf(columns, rows, 'code', false),
        columns,
        rows,
        message: { text: 'press ? for the keys', isError: false },
        busy: undefined,
        prompt: undefined,
        overlay: undefined,
        focus: 'code',
        isZoomed: false,
        selection: {},
        stops: [],
      },
      quit,
    );
    await stepper.#sayEnding();
    return stepper;
  }

  get state(): State {
    return this.#state;
  }

  /** Whether nothing is under way, and nothing is left to do. */
  get isIdle(): boolean {
    return !this.#isWorking;
  }

  /** Lines of text that there is room for in the place of the panes. */
  get pageRows(): number {
    const { rows, layout } = this.#state;
    return Math.max(1, rows - (layout?.head ?? 1) - FOOT - 1);
  }

  /** Calls back whenever {@link state} is another. @returns what ends that */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The screen has another size. */
  resize(columns: number, rows: number): void {
    this.#set({ columns, rows });
    this.#enqueue(() => this.#look());
  }

  /** A key, by the name that the table of keys has for it. */
  press(key: string): void {
    const { prompt, overlay } = this.#state;
    if (prompt !== undefined) {
      this.#edit(prompt, key);
      return;
    }
    if (this.#move !== undefined && (key === 'Escape' || key === 'Ctrl-c')) {
      this.#queue = [];
      this.#move.abort();
      return;
    }
    if (overlay !== undefined && this.#read(overlay, key)) return;
    if (key === 'Ctrl-c') this.#quit(STATUS.interrupted);
    else if (key === 'Escape') this.#clear();
    else this.#enqueueKey(key);
  }

  /** A key while text is shown. @returns whether that was all that it meant */
  #read(overlay: Overlay, key: string): boolean {
    const { lines, top, moments } = overlay;
    const page = this.pageRows;
    const all = lines.length;
    const down = { '↓': 1, j: 1, ' ': page, PageDown: page, G: all, '↑': -1, k: -1, PageUp: -page, g: -all }[key];
    if (down !== undefined && lines.length > page) {
      this.#set({ overlay: { ...overlay, top: Math.max(0, Math.min(lines.length - page, top + down)) } });
      return true;
    }
    this.#set({ overlay: undefined });
    const moment = /^[1-9]$/.test(key) ? moments[Number(key) - 1] : undefined;
    if (moment !== undefined) this.#enqueue(() => this.#execute(`at ${moment}`));
    // Any other key closes it and is what it would be without it, so that one goes on at once.
    return moment !== undefined || ['Escape', 'Enter', 'q', '?', ' '].includes(key);
  }

  #enqueueKey(key: string): void {
    const command = commandOfKey(key);
    if (command === undefined) this.#say(`there is no key ${key}: press ? for those there are`, true);
    // These wait for nothing that is under way.
    else if (command === 'command') this.#set({ prompt: newPrompt(this.#history) });
    else if (command === 'help') this.#help();
    else this.#enqueue(() => this.#execute(command));
  }

  #help(): void {
    const { columns } = this.#state;
    this.#set({
      overlay: { title: 'keys, and commands behind a colon', lines: helpLines(columns), top: 0, moments: [] },
    });
  }

  #clear(): void {
    this.#set({ selection: {}, isZoomed: false });
    this.#follow = undefined;
    this.#enqueue(() => this.#look());
    this.#say('', false);
  }

  #edit(prompt: Prompt, key: string): void {
    if (key !== 'Enter') {
      this.#set({ prompt: edited(prompt, key, this.#history, (begun) => this.#complete(begun)) });
      return;
    }
    this.#set({ prompt: undefined });
    const { text } = prompt;
    if (text.trim() === '') return;
    if (this.#history.at(-1) !== text) this.#history.push(text);
    this.#enqueue(() => this.#execute(text));
  }

  /** The only command, or symbol behind a command, that a line may go on as. */
  #complete(begun: string): string {
    const [, head, word] = /^(.*?)(\S*)$/.exec(begun) ?? ['', '', ''];
    const { images } = this.session.process;
    const names = head === '' ? COMMANDS.map(({ name }) => name) : images.flatMap(({ symbols }) => [...symbols.keys()]);
    const fitting = [...new Set(names.filter((name) => name.startsWith(word)))];
    return fitting.length === 1 ? `${head}${fitting[0]} ` : begun;
  }

  /** Ends what is under way, and begins nothing more. @returns when the session may be closed */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue = [];
    this.#move?.abort();
    await this.#working;
  }

  #enqueue(work: () => Promise<void>): void {
    if (this.#isClosed) return;
    this.#queue.push(work);
    if (!this.#isWorking) this.#working = this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let work = this.#queue.shift(); work !== undefined; work = this.#queue.shift()) await work();
    this.#isWorking = false;
    this.#tell();
  }

  async #execute(line: string): Promise<void> {
    try {
      await execute(line, this.#controls());
      await this.#look();
    } catch (error) {
      const text = explain(error);
      if (text === undefined) throw error;
      this.#say(text.replace(/^millscope: /, ''), true);
      await this.#look();
    }
  }

  #controls(): Controls {
    const { view, focus } = this.#state;
    return {
      session: this.session,
      view,
      subject: subjectOf(this.#text(focus).items, this.#state.selection[focus]),
      move: (move, missed, goal) => this.#moveBy(move, missed, goal),
      say: (text) => this.#say(text, false),
      show: (title, lines, moments = []) => this.#showWithPicture({ overlay: { title, lines, top: 0, moments } }),
      help: () => this.#help(),
      focus: (pane) => this.#focus(pane),
      zoom: () => this.#set({ isZoomed: !this.#state.isZoomed }),
      select: (lines) => this.#select(lines),
      follow: (coroutine) => {
        this.#follow = coroutine;
        const whom = coroutine === 0 ? 'main' : `coroutine ${coroutine}`;
        this.#say(
          coroutine === undefined ? 'ctx and stack of whoever is concerned' : `ctx and stack of ${whom}`,
          false,
        );
      },
      prompt: () => this.#set({ prompt: newPrompt(this.#history) }),
      quit: () => this.#quit(0),
    };
  }

  async #moveBy(
    move: (options: MoveOptions) => Promise<unknown>,
    missed: string | undefined,
    goal: number | undefined,
  ): Promise<void> {
    const start = this.session.moment;
    const abort = new AbortController();
    this.#move = abort;
    const begun = performance.now();
    const progress = (moment: number): void => {
      if (performance.now() - begun < QUICK_MS) return;
      const { history } = this.session;
      const whole = goal ?? (history.end === undefined ? undefined : history.furthest);
      const from = goal === undefined ? 0 : start;
      const part = whole === undefined || whole === from ? undefined : (moment - from) / (whole - from);
      this.#set({ busy: { moment, part: part === undefined ? undefined : Math.max(0, Math.min(1, part)) } });
    };
    try {
      const found = await move({ signal: abort.signal, progress });
      let missing = '';
      if (abort.signal.aborted) this.#say(`interrupted at moment ${this.session.moment}`, false);
      else if (typeof found === 'string') this.#say(found, false);
      else if (found === false && missed !== undefined) missing = missed;
      else this.#say(stoppedText(await stoppedAt(this.session)), false);
      if (missing !== '') this.#say(missing, false);
      if (!abort.signal.aborted) await this.#sayEnding(missing);
    } finally {
      this.#move = undefined;
      this.#showWithPicture({ busy: undefined });
    }
  }

  /** How the run has ended, if this is its end. @param missing what to say before that */
  async #sayEnding(missing = ''): Promise<void> {
    const { outcome, process } = this.session;
    if (outcome === undefined) return;
    const { status, message } = await ending(process, outcome);
    if (message === undefined) {
      this.#say(`${missing === '' ? '' : `${missing}; `}the program has ended, with status ${status}`, false);
      return;
    }
    const lines = message.split('\n');
    this.#say(lines[lines.length - 1].replace(/^millscope: /, ''), true);
    if (lines.length === 1) return;
    const overlay = { title: 'how the run has ended', lines: lines.slice(0, -1), top: 0, moments: [] };
    this.#showWithPicture({ overlay });
  }

  #focus(pane: string): void {
    const { focus } = this.#state;
    const named = PANES.find((name) => name === pane) ?? PANES.find((name) => name.startsWith(pane));
    if (pane === 'next' || pane === 'previous') {
      const by = pane === 'next' ? 1 : PANES.length - 1;
      this.#set({ focus: PANES[(PANES.indexOf(focus) + by) % PANES.length] });
    } else if (named === undefined) this.#say(`there is no pane ${pane}: ${PANES.join(', ')}`, true);
    else this.#set({ focus: named });
  }

  #select(lines: number): void {
    const { focus, selection } = this.#state;
    const key = movedSelection(this.#text(focus).items, selection[focus], lines);
    if (key !== undefined) this.#set({ selection: { ...selection, [focus]: key } });
  }

  #text(pane: PaneName): ReturnType<typeof paneText> {
    const { view, stops, layout, columns, rows } = this.#state;
    const area = layout && areasOf(layout).find((one) => one.pane === pane);
    return paneText(pane, { view, stops, width: area?.width ?? columns, height: (area?.height ?? rows) - 1 });
  }

  async #look(): Promise<void> {
    const { columns, rows, selection } = this.#state;
    const listed = /^coroutine (\d+)$/.exec(selection.coroutines ?? '')?.[1];
    const view = await this.#viewer.look(
      extentOf(columns, rows),
      this.#follow,
      listed === undefined ? undefined : Number(listed),
    );
    const { process, watchpoints } = this.session;
    const stops = watchpoints.map(({ number, watched }) => ({
      number,
      text: watched.kind === 'place' ? `break ${watched.place}` : `watch ${watchedText(watched)}`,
      addresses: watched.kind === 'place' ? addressesOf(process, watched.place) : [],
    }));
    const later = this.#later;
    this.#later = {};
    this.#set({ view, stops, ...later });
  }

  /** With the picture of what it speaks of, if that is still to be made. */
  #say(text: string, isError: boolean): void {
    this.#showWithPicture({ message: { text, isError } });
  }

  #showWithPicture(change: Partial<State>): void {
    if (this.#isWorking) this.#later = { ...this.#later, ...change };
    else this.#set(change);
  }

  #set(change: Partial<State>): void {
    const state = { ...this.#state, ...change };
    const { columns, rows, focus, isZoomed } = state;
    this.#state = { ...state, layout: layoutOf(columns, rows, focus, isZoomed) };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** As much as such a screen may show. */
function extentOf(columns: number, rows: number): Extent {
  return {
    code: rows >> 1,
    words: rows,
    coroutines: rows,
    output: rows,
    switches: SWITCHES_AROUND,
    lane: Math.max(10, columns - 2),
  };
}
