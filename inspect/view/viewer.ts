import { Disassembler } from '../../emu/disassembler.js';
import type { Outcome } from '../../runtime/process.js';
import type { Session } from '../session.js';
import { type ChannelView, survey, type TimerView } from '../survey.js';
import { type CodeView, codeView, type Instructions, type Sources } from './code.js';
import { type ContextView, concerned, contextView, readSlots } from './context.js';
import { type CoroutinesView, coroutinesView } from './coroutines.js';
import { type OutputView, outputView } from './output.js';
import { type ProbedSwitch, type ProbedView, probedView, readProbed } from './probed.js';
import { Reader } from './readings.js';
import { type RegisterRow, registerRows } from './registers.js';
import { positionAt, type Sequence, sequencesOf } from './sequence.js';
import { readWords, type StackView, stackExtent, stackView } from './stack.js';
import { lane, type Timeline, timeline } from './timeline.js';

/** How much a screen has room for. */
export interface Extent {
  /** Instructions on each side of the next one. */
  readonly code: number;
  /** Words of the stack. */
  readonly words: number;
  readonly coroutines: number;
  /** Lines of output. */
  readonly output: number;
  /** Switches on each side of the moment. */
  readonly switches: number;
  /** Cells of the lane that shows who runs when. */
  readonly lane: number;
}

/** A moment of a run as screens show it. It depends on the run, the moment and what is asked for, and on nothing else. */
export interface MomentView {
  readonly moment: number;
  /** Id of the coroutine that runs; undefined if mill_running is none. */
  readonly running: number | undefined;
  readonly outcome: Outcome | undefined;
  readonly code: CodeView;
  readonly registers: readonly RegisterRow[];
  /** Of the coroutine that was selected, else of the one that the next instruction concerns. */
  readonly context: ContextView;
  /** Of a probe: the context of the switch that it runs, which is no coroutine's. */
  readonly probed: ProbedView | undefined;
  readonly stack: StackView;
  readonly coroutines: CoroutinesView;
  readonly channels: readonly ChannelView[];
  readonly timers: readonly TimerView[];
  /** ms of the machine's clock. */
  readonly time: number;
  readonly output: OutputView;
  readonly timeline: Timeline;
  /** Ids of who runs, from the start of the run to the last moment that has been seen. */
  readonly lane: readonly number[];
}

/** What a picture is made with besides the session. */
export interface ViewerOptions {
  /** Finds the text of what the code is from. */
  readonly sources?: Sources;
  /** What is known of the switch, if the session is of a probe. */
  readonly probed?: ProbedSwitch | undefined;
  /** Is closed with the viewer; Capstone, which is loaded then, if it is missing. */
  readonly instructions?: Instructions;
}

/** Makes the picture of a session's moment. Close it after use. */
export class Viewer {
  readonly #session: Session;
  readonly #instructions: Instructions;
  readonly #sequences: readonly Sequence[];
  readonly #sources: Sources;
  readonly #reader: Reader;
  readonly #probed: ProbedSwitch | undefined;

  private constructor(
    session: Session,
    instructions: Instructions,
    { sources = () => undefined, probed }: ViewerOptions,
  ) {
    this.#session = session;
    this.#instructions = instructions;
    this.#sequences = sequencesOf(session.process, instructions);
    this.#sources = sources;
    this.#reader = new Reader(session);
    this.#probed = probed;
  }

  static async open(session: Session, options: ViewerOptions = {}): Promise<Viewer> {
    return new Viewer(session, options.instructions ?? (await Disassembler.load()), options);
  }

  /**
   * What there is at this moment. The session stays where it is.
   * @param selected id of the coroutine whose ctx and stack are wanted, if it is there
   * @param listed id of the coroutine that is to be in the list; otherwise the same one
   */
  async look(extent: Extent, selected?: number, listed?: number): Promise<MomentView> {
    const session = this.#session;
    const { process } = session;
    const { census, coroutines } = process.mill;
    const code = codeView(process, this.#instructions, this.#sources, extent.code);
    const position = positionAt(process, this.#sequences, process.cpu.rip);
    const crs = process.coroutines();
    const registers = new BigUint64Array(18);
    process.cpu.readInto(registers);
    const wanted = crs.find((cr) => selected !== undefined && census.id(cr) === selected);
    const running = process.running;
    const cr = wanted ?? concerned(crs, registers, code.next, position) ?? running ?? coroutines.main;
    const id = census.id(cr);
    const stack = stackExtent(process, id, cr, extent.words);
    const probed = this.#probed;
    const look = () => ({
      slots: readSlots(process, cr),
      words: readWords(process, stack),
      probed: probed === undefined ? [] : readProbed(process, probed),
    });
    const readings = await this.#reader.read(look);
    const { now, after } = readings;
    const known = survey(process);
    return {
      moment: session.moment,
      running: running === undefined ? undefined : census.id(running),
      outcome: session.outcome,
      code,
      registers: registerRows(readings),
      context: contextView(
        { id, cr, isRunning: cr === running },
        now.registers,
        { now: now.words.slots, after: after?.words.slots },
        code.next,
        position,
      ),
      probed:
        probed === undefined
          ? undefined
          : probedView(session.moment, probed, { now: now.words.probed, after: after?.words.probed }),
      stack: stackView(process, stack, { now: now.words.words, after: after?.words.words }, now.saved.cpu.memory),
      coroutines: coroutinesView(process, known, listed ?? id, extent.coroutines),
      channels: known.channels,
      timers: known.timers,
      time: known.time,
      output: outputView(session, extent.output),
      timeline: timeline(session, extent.switches),
      lane: lane(session, extent.lane),
    };
  }

  /** Frees what has the text of instructions. */
  close(): void {
    this.#instructions.close();
  }
}
