/** What the page and its worker say to each other. */
import type { Source } from '../../asm/statement.js';
import type { REGISTER_FILE } from '../../emu/registers.js';
import type { Verdict } from '../lesson/answer.js';
import type { Language, LessonJson } from '../lesson/lesson.js';
import type { Asked } from '../lesson/question.js';
import type { Scene } from '../view/scene.js';
import type { Runtime } from './contents.js';
import type { Move } from './moves.js';

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
}

/** A number that something is asked of. */
export type Asking =
  | { readonly kind: 'register'; readonly name: (typeof REGISTER_FILE)[number] }
  /** A word of memory. */
  | { readonly kind: 'word'; readonly address: number };

/** Who wrote a value last. */
export interface Written {
  /** In front of the instruction that wrote it; undefined if that was before the run began. */
  readonly moment: number | undefined;
  /** `symbol+0x4 (file.s:12)` */
  readonly place: string;
  readonly instruction: string;
  /** Id of the coroutine that ran. */
  readonly by: number | undefined;
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
    ask: { readonly program: string; readonly pinned: number | undefined; readonly moment: number };
    reply: Opened;
  };
  move: { ask: { readonly move: Move; readonly pinned: number | undefined }; reply: Scene };
  /** undefined if the search was interrupted. */
  why: { ask: Asking; reply: Written | undefined };
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
