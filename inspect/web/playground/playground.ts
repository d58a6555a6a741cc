import type { Source } from '../../../asm/statement.js';
import { RunLinkError } from '../../link/error.js';
import { readLink, writeLink } from '../../link/link.js';
import type { LinkedRun } from '../../link/linked-run.js';
import { readAddress, writeAddress } from '../address.js';
import type { Runtime } from '../contents.js';
import { getJson } from '../json.js';
import type { Place, Player } from '../player.js';
import { PngError } from '../png.js';
import type { Outcome } from '../protocol.js';
import { Store } from '../store.js';
import { Refused } from '../thread.js';
import type { Broken, BuiltProgram, Measured, Problem, WorkshopRequests } from '../workshop/protocol.js';
import { type PlaygroundContents, readShipped, type ShippedRun } from './contents.js';
import { clausesLost, edited, isSameRun, isSwitch, switchOf, tabsOf } from './draft.js';
import { type Name, runtimeNames } from './editor/names.js';
import { readFiles } from './own-files.js';
import { type Copy, type PictureKind, pictureFile, STEPS, textOf } from './share.js';
import { WORDS, type Words } from './words.js';
import { Workshop } from './workshop.js';

/** A broken switch, and what has been said of it. */
export interface Riddle extends Broken {
  /** Index of a choice, or that nobody wants to choose; undefined as long as it is open. */
  readonly said: number | 'nothing' | undefined;
}

/** What the playground shows besides the machine. */
export interface Draft {
  readonly contents: PlaygroundContents;
  /** The shipped program that it began with. */
  readonly name: string | undefined;
  /** It has objects of somebody's own, which stay on this machine. */
  readonly isOwn: boolean;
  readonly run: LinkedRun;
  /** As it was before anything was edited. */
  readonly opened: LinkedRun;
  /** The runtime as it is shipped. */
  readonly shipped: readonly Source[];
  /** The file that is seen. */
  readonly tab: string;
  /** The text is newer than what is in the machine. */
  readonly isBuilding: boolean;
  /** A part of the workshop comes. */
  readonly coming: string | undefined;
  readonly problems: readonly Problem[];
  /** Of the switch as it is, unless the text is newer. */
  readonly measured: Measured | undefined;
  /** Clauses that the switch as shipped does not keep either. */
  readonly neverKept: readonly string[];
  readonly outcome: Outcome | undefined;
  /** What came of the run before anything was edited. */
  readonly before: Outcome | undefined;
  readonly riddle: Riddle | undefined;
  /** Why something could not be opened or done. */
  readonly message: string | undefined;
}

/** No program yet. */
const NOTHING: LinkedRun = {
  files: [],
  runtime: [],
  arguments: [],
  name: 'program',
  environment: [],
  seed: 0n,
  memory: 512,
  moment: 0,
};

/** What a program that has just been opened has none of. */
const EMPTY = {
  problems: [],
  measured: undefined,
  outcome: undefined,
  before: undefined,
  riddle: undefined,
  message: undefined,
} as const satisfies Partial<Draft>;

/** So long nothing was typed before it is tried. */
const PAUSE_MS = 350;

/** The place where programs and the switch itself are edited. */
export class Playground extends Store<Draft> implements Place {
  readonly #player: Player;
  #workshop: Workshop;
  #runtime: Runtime = { listing: [], sources: [] };
  #names: readonly Name[] = [];
  #neverKept: readonly string[] | undefined;
  /** The text has changed since it was last taken to the workshop. */
  #isStale = false;
  #isMaking = false;
  /** Where the program is to be opened; undefined where the machine is. */
  #moment: number | undefined;
  /** The program that is opened, if it was built when the site was. */
  #built: BuiltProgram | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(player: Player) {
    super({
      contents: [],
      name: undefined,
      isOwn: false,
      run: NOTHING,
      opened: NOTHING,
      shipped: [],
      tab: '',
      neverKept: [],
      isBuilding: false,
      coming: undefined,
      ...EMPTY,
    });
    this.#player = player;
    this.#workshop = this.#openWorkshop();
  }

  /** What the runtime defines. */
  get names(): readonly Name[] {
    return this.#names;
  }

  /** Opens what the address says; without a word of it, all is as it was left, or the first program. */
  async enter(hash: string): Promise<void> {
    const { moment } = this.#player.state.scene?.view ?? {};
    this.#player.clear(this);
    await this.#player.attempt(async () => {
      if (this.#names.length === 0) {
        const [contents, runtime] = await Promise.all([
          getJson<PlaygroundContents>('playground/index.json'),
          getJson<Runtime>('lessons/runtime.json'),
        ]);
        this.#runtime = runtime;
        this.#names = runtimeNames(runtime.sources);
        this.set({ contents, shipped: runtime.sources });
      }
      const { play, run } = readAddress(hash);
      if (run !== undefined || play !== '' || this.state.run === NOTHING) await this.follow(hash);
      else {
        this.#moment = moment;
        await this.#make();
      }
    });
  }

  /** What the address says has changed under the page. */
  async follow(hash: string): Promise<void> {
    const { play, run, moment } = readAddress(hash);
    const { contents, name, opened } = this.state;
    this.set({ message: undefined });
    if (run !== undefined) {
      await this.#openLink(hash);
      return;
    }
    const known = contents.find((one) => one.name === play) ?? contents[0];
    if (known.name === name && this.#player.state.scene !== undefined && isSameRun(this.state.run, opened)) {
      if (moment !== undefined) this.#player.move({ kind: 'at', moment });
    } else await this.openShipped(known.name, moment);
    if (play !== undefined && play !== '' && known.name !== play) this.#say(this.#words.noSuchProgram(play));
  }

  /** Opens a program that comes with the page. @param moment undefined for the one that it is about */
  async openShipped(name: string, moment?: number): Promise<void> {
    await this.#player.attempt(async () => {
      const json = await getJson<ShippedRun>(`playground/${name}.json`);
      const run = readShipped(json);
      this.#built = json.program;
      await this.#open({ ...run, moment: moment ?? run.moment }, name);
    });
  }

  /** Opens objects and texts of somebody's own; objects are kept in no address. */
  async openFiles(files: readonly File[]): Promise<void> {
    const read = await readFiles(files);
    if ('kind' in read) {
      this.#say(this.#words.wrongFiles(read));
      return;
    }
    const [{ name }] = read;
    const isOwn = read.some((file) => 'bytes' in file);
    await this.#open({ ...NOTHING, files: read, name: name.replace(/\.\w+$/, '') }, undefined, isOwn);
  }

  /** Takes the place of a file's text. */
  edit(name: string, text: string): void {
    const { run, shipped, riddle } = this.state;
    if (riddle !== undefined && shipped.some((source) => source.name === name)) return;
    this.#change(edited(run, shipped, name, text));
  }

  /** Takes a file's text back to what it was. */
  reset(name: string): void {
    const { opened, shipped } = this.state;
    const original = [...opened.files, ...shipped].find((file) => file.name === name);
    if (original !== undefined && 'text' in original) this.edit(name, original.text);
  }

  /** Runs the program with other arguments or another seed. */
  runWith(words: readonly string[], seed: bigint): void {
    this.#moment = 0;
    this.#change({ ...this.state.run, arguments: words, seed: BigInt.asUintN(64, seed) });
  }

  /** The moment as text. @returns undefined if it cannot be had, which is said */
  async copyAs(what: Copy): Promise<string | undefined> {
    const { view } = this.#player.state.scene ?? {};
    if (view === undefined) return undefined;
    try {
      const run = { ...this.state.run, moment: view.moment };
      return await textOf(what, run, view.registers, location.href.replace(/#.*/, ''));
    } catch (error) {
      if (!(error instanceof RunLinkError)) throw error;
      this.#say(error.message);
      return undefined;
    }
  }

  /** Shows a file. */
  show(tab: string): void {
    this.set({ tab });
  }

  /** Breaks the switch in a place that nobody knows. */
  async breakIt(): Promise<void> {
    const { run, shipped } = this.state;
    this.set({ isBuilding: true, message: undefined });
    try {
      const [seed] = crypto.getRandomValues(new Uint32Array(1));
      const broken = await this.#workshop.ask('mutate', { seed, runtime: switchOf(run.runtime, shipped) });
      this.set({ riddle: { ...broken, said: undefined }, measured: undefined });
      this.#moment = 0;
      await this.#make();
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Says which choice is true, or that one gives up. */
  answer(said: Riddle['said']): void {
    const { riddle } = this.state;
    if (riddle === undefined) return;
    this.set({ riddle: { ...riddle, said }, tab: riddle.file });
    void this.#make();
  }

  /** Goes back to the switch as it was. */
  async mend(): Promise<void> {
    this.set({ riddle: undefined, measured: undefined });
    await this.#make();
  }

  /** The moment as a picture. @returns undefined if it cannot be had, which is said */
  async draw(kind: PictureKind, isDark: boolean): Promise<File | undefined> {
    const { scene } = this.#player.state;
    if (scene === undefined) return undefined;
    const options = { program: this.state.run.name, colours: isDark ? 'dark' : 'light', words: this.#words } as const;
    try {
      const scenes = kind === 'moving' ? await this.#player.ask('scenes', { steps: STEPS }) : [scene];
      return await pictureFile(kind, scenes, options);
    } catch (error) {
      if (!(error instanceof PngError || error instanceof Refused)) throw error;
      this.#say(error.message);
      return undefined;
    }
  }

  rest(): void {
    void this.#keepAddress();
  }

  async reopen(): Promise<void> {
    this.#workshop.close();
    this.#workshop = this.#openWorkshop();
    this.#isMaking = false;
    this.#moment = 0;
    await this.#make();
  }

  async #openLink(hash: string): Promise<void> {
    try {
      await this.#open(await readLink(hash), undefined);
    } catch (error) {
      if (!(error instanceof RunLinkError)) throw error;
      if (this.state.run === NOTHING) await this.openShipped(this.state.contents[0].name);
      this.set({ message: error.message });
    }
  }

  async #open(run: LinkedRun, name: string | undefined, isOwn = false): Promise<void> {
    const { shipped } = this.state;
    const [first] = tabsOf(run, run, shipped);
    const tab = run.runtime.find(isSwitch)?.name ?? first.name;
    this.#moment = run.moment;
    this.set({ ...EMPTY, name, isOwn, run, opened: run, tab });
    await this.#make();
  }

  #change(run: LinkedRun): void {
    this.set({ run, isBuilding: true, message: undefined });
    this.#isStale = true;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => void this.#make(), PAUSE_MS);
  }

  /** Takes the text to the workshop and what comes of it to the machine, until both are of the text as it is. */
  async #make(): Promise<void> {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#isStale = true;
    if (this.#isMaking) return;
    this.#isMaking = true;
    const workshop = this.#workshop;
    try {
      // Whoever types is waited for.
      while (this.#isStale && this.#pause === undefined && workshop === this.#workshop) {
        this.#isStale = false;
        await this.#makeOnce();
      }
    } catch (error) {
      this.#refuse(error);
    } finally {
      if (workshop === this.#workshop) this.#isMaking = false;
    }
  }

  async #makeOnce(): Promise<void> {
    const { run, shipped, riddle } = this.state;
    const isShipped = ({ name, text }: Source): boolean => {
      return shipped.some((one) => one.name === name && one.text === text);
    };
    const runtime = (riddle?.runtime ?? run.runtime).filter((source) => !isShipped(source));
    this.set({ isBuilding: true });
    const built = await this.#build(run, runtime);
    if (this.#isStale) return;
    this.set({ problems: built.kind === 'problems' ? built.problems : [] });
    if (built.kind === 'built') await this.#toMachine(built.program);
    else this.rest();
    if (this.#isStale) return;
    this.set({ isBuilding: false });
    // What is measured would say what is broken.
    if (this.#isStale || built.kind === 'problems' || (riddle !== undefined && riddle.said === undefined)) return;
    const measured = await this.#workshop.ask('measure', { runtime: switchOf(runtime, shipped) });
    this.#neverKept ??= clausesLost(
      runtime.some(isSwitch) ? await this.#workshop.ask('measure', { runtime: switchOf([], shipped) }) : measured,
    );
    if (this.#isStale || this.state.riddle !== riddle) return;
    if (measured.kind === 'measured') this.set({ measured, neverKept: this.#neverKept });
    else this.set({ measured: undefined, problems: measured.problems });
  }

  /** A program that was built with the site needs no assembler before it is edited. */
  async #build(run: LinkedRun, runtime: readonly Source[]): Promise<WorkshopRequests['build']['reply']> {
    const program = this.#built;
    this.#built = undefined;
    if (program !== undefined && run === this.state.opened) return { kind: 'built', program };
    return this.#workshop.ask('build', { files: run.files, runtime });
  }

  /** Opens a program in the machine, at the moment where that is. */
  async #toMachine(program: BuiltProgram): Promise<void> {
    const { run, opened, riddle } = this.state;
    const moment = this.#moment ?? this.#player.state.scene?.view.moment ?? 0;
    this.#player.stop();
    await this.#player.attempt(async () => {
      const { listing, sources } = this.#runtime;
      const { name, seed, memory, environment } = run;
      const options = { name, seed, memory, environment, arguments: run.arguments };
      const ask = { program, listing: program.runtime === undefined ? listing : [], options, moment };
      const ran = await this.#player.ask('run', ask);
      this.#moment = undefined;
      const own = program.sources;
      const others = sources.filter(({ name }) => !own.some((source) => source.name === name));
      this.#player.open(ran, [...own, ...others]);
      const isFirst = run === opened && riddle === undefined;
      this.set({ outcome: ran.outcome, before: isFirst ? ran.outcome : this.state.before });
    });
  }

  /** The address says where the machine is, and with what, unless that is somebody's own or a riddle. */
  async #keepAddress(): Promise<void> {
    const { name, run, opened, isOwn, riddle } = this.state;
    const { scene, language } = this.#player.state;
    const moment = scene?.view.moment;
    const address = { lesson: undefined, program: undefined, moment, language };
    let hash = writeAddress({ ...address, play: name ?? '' });
    if (!isOwn && riddle === undefined && (name === undefined || !isSameRun(run, opened))) {
      const link = await writeLink({ ...run, moment: moment ?? 0 }).catch(() => undefined);
      if (link !== undefined) hash = `#${link}&${new URLSearchParams({ lang: language })}`;
    }
    // Whoever has gone on meanwhile has another address.
    if (this.state.run !== run || this.#player.state.scene !== scene || !this.#player.isAt(this)) return;
    history.replaceState(null, '', hash);
  }

  #openWorkshop(): Workshop {
    const broken = (message: string): void => this.#say(message);
    return new Workshop(({ kind, part }) => this.set({ coming: kind === 'loading' ? part : undefined }), broken);
  }

  get #words(): Words {
    return WORDS[this.#player.state.language];
  }

  #say(message: string): void {
    this.set({ message, isBuilding: false });
  }

  #refuse(error: unknown): void {
    if (!(error instanceof Refused)) throw error;
    this.#say(error.message);
  }
}
