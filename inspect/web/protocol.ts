/** What the page and its worker say to each other. */
import type { Source } from '../../asm/statement.js';
import type { Verdict } from '../lesson/answer.js';
import type { Language, LessonJson, Listed } from '../lesson/lesson.js';
import type { Asked } from '../lesson/question.js';
import type { Place } from '../provenance/place.js';
import type { Provenance } from '../provenance/step.js';
import type { Watched } from '../session.js';
import type { Stopped } from '../stops.js';
import type { Ending } from '../view/ending.js';
import type { OutputView } from '../view/output.js';
import type { Scene } from '../view/scene.js';
import type { WatchedValue } from '../watched.js';
import type { Runtime } from './contents.js';
import type { Move } from './moves.js';
import type { RunOptions } from './run.js';
import type { BuiltProgram } from './workshop/protocol.js';

/** A question as it is asked. */
export interface QuestionText {
  readonly kind: Asked['kind'];
  /** Markdown, as are the next two. */
  readonly prompt: string;
  readonly options: readonly string[];
  readonly explanation: string;
}

/** A part of a lesson, in one language. */
export interface PassageText {
  readonly program: string;
  readonly markdown: string;
  readonly questions: readonly QuestionText[];
}

/** A lesson as it is read. */
export interface LessonPage {
  readonly name: string;
  readonly texts: Readonly<
    Record<
      Language,
      { readonly title: string; readonly introduction: string; readonly passages: readonly PassageText[] }
    >
  >;
  /** By program. */
  readonly sources: Readonly<Record<string, readonly Source[]>>;
}

/** A program in the machine, run to its end once, if it has one, and taken back. */
export interface Opened {
  readonly program: string;
  /** The moments of the lesson's passages, in their order; undefined for those about another program. */
  readonly moments: readonly (number | undefined)[];
  readonly scene: Scene;
  readonly outcome: Outcome;
}

/** What comes of a run, as far as it is followed before somebody asks for more. */
export interface Outcome {
  /** Its last moment. */
  readonly moment: number;
  readonly output: OutputView;
  /** undefined if it goes on. */
  readonly ending: Ending | undefined;
}

/** A breakpoint or a watchpoint that is set. */
export interface Stop {
  readonly number: number;
  readonly watched: Watched;
  /** Of a breakpoint, in words: `worker+0x4 (worker.s:12)`; else empty. */
  readonly text: string;
  /** Its instructions, as `0x401000`, and their lines, as `worker.s:12` with the file's name as the image has it. */
  readonly places: readonly string[];
}

/** How a movement came where it is. */
export interface Arrival extends Stopped {
  /** Whether what was looked for did not come up to the end of the run, or to its start. */
  readonly missed: boolean;
}

/** What is known of a value besides its digits. */
export interface Meaning {
  /** The symbol or region that it is an address of; empty if it is none. */
  readonly text: string;
}

/** What has come of an answer. */
export interface Judged {
  readonly verdict: Verdict;
  /** In words. */
  readonly right: string;
}

/** What the page asks for, each with what it gets. */
export interface Requests {
  lesson: { ask: { readonly lesson: LessonJson; readonly runtime: Runtime }; reply: LessonPage };
  open: {
    /** Without a moment it is opened at the one that its first passage is about. */
    ask: { readonly program: string; readonly pinned: number | undefined; readonly moment: number | undefined };
    reply: Opened;
  };
  /** A program of the playground. @param listing of the runtime, if that is as shipped */
  run: {
    ask: {
      readonly program: BuiltProgram;
      readonly listing: readonly Listed[];
      readonly options: RunOptions;
      readonly moment: number;
    };
    reply: Opened;
  };
  move: {
    ask: { readonly move: Move; readonly pinned: number | undefined };
    reply: { readonly scene: Scene; readonly arrival: Arrival };
  };
  /** The moment that is shown and those behind it; fewer, if the run ends before. */
  scenes: { ask: { readonly steps: number }; reply: readonly Scene[] };
  /** Why something holds what it holds at a moment; undefined if the way there was interrupted. */
  why: { ask: { readonly of: WatchedValue | Place; readonly moment: number }; reply: Provenance | undefined };
  /** All that are set then. */
  watch: { ask: { readonly watched: Watched }; reply: readonly Stop[] };
  unwatch: { ask: { readonly numbers: readonly number[] }; reply: readonly Stop[] };
  meaning: { ask: { readonly value: bigint }; reply: Meaning };
  answer: {
    ask: { readonly language: Language; readonly passage: number; readonly question: number; readonly typed: string };
    reply: Judged;
  };
}

export type Kind = keyof Requests;

/** From the page; `stop` interrupts what is being done, and has no reply. */
export type ToWorker =
  | { readonly kind: 'stop' }
  | { [K in Kind]: { readonly kind: K; readonly number: number; readonly ask: Requests[K]['ask'] } }[Kind];

/** From the worker. */
export type FromWorker =
  | { readonly kind: 'reply'; readonly number: number; readonly reply: unknown }
  /** It could not be done; `message` is for people. */
  | { readonly kind: 'refused'; readonly number: number; readonly message: string }
  /** Of the engine's file. */
  | { readonly kind: 'loading'; readonly loaded: number; readonly total: number }
  | { readonly kind: 'ready' }
  /** The engine cannot be used. */
  | { readonly kind: 'broken'; readonly message: string }
  /** Where a long move is. */
  | { readonly kind: 'progress'; readonly moment: number };
