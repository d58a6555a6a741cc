/** What the page's editor and the workshop, a worker of its own, say to each other. All of it is plain data. */
import type { ImageJson, SourceLine } from '../../../asm/image.js';
import type { Source } from '../../../asm/statement.js';
import type { Verdict } from '../../contract/clauses.js';
import type { Listed } from '../../lesson/lesson.js';

/**
 * A file of a program: assembly text by a name that ends in `.s`, unless it is only beside the others, to be included or
 * read, as is all other text; or an object.
 */
export type ProgramFile = (Source & { readonly beside?: true }) | { readonly name: string; readonly bytes: Uint8Array };

/** Something wrong, and where. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  /** undefined if it is about the file as a whole. */
  readonly line: number | undefined;
  /** undefined if it is about the whole line. */
  readonly column: number | undefined;
  /** In characters, from the column. */
  readonly length: number | undefined;
  /** For people. */
  readonly message: string;
}

/** A program that can be run by whoever has an engine and nothing else. */
export interface BuiltProgram {
  readonly image: ImageJson;
  /** The guest side of the runtime; undefined if it is as shipped. */
  readonly runtime: ImageJson | undefined;
  /** Of both images; without the runtime if that is as shipped. */
  readonly listing: readonly Listed[];
  /** Texts by the names that the images' lines have: the program's, and the edited ones of the runtime. */
  readonly sources: readonly Source[];
}

/** A place of the ctx. */
export interface SlotRow {
  /** `ctx+32`, `stack+0`, `mill_variable+8` */
  readonly place: string;
  /** In bytes, from where the place counts. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
  /** What is saved there: `r13`, `rbx+8`, `address mill_suspend`, … ; undefined if nothing is. */
  readonly saved: string | undefined;
  /** Where it comes back: `r13`; undefined if nowhere. */
  readonly restored: string | undefined;
  /** In words; undefined if nothing is. */
  readonly wrong: string | undefined;
  /** Lines of the instructions that write it and that read it. */
  readonly savedBy: readonly SourceLine[];
  readonly restoredBy: readonly SourceLine[];
}

/** A clause of the contract. */
export interface ClauseRow {
  /** As `--require` calls it: `r13`, `return-value`, … */
  readonly id: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** In words: what was seen, or why it does not apply. */
  readonly explanation: string;
}

/** What a switch does, as running it has shown. */
export interface Measured {
  readonly kind: 'measured';
  /** Why it was not measured to the end, in words; undefined if it was. */
  readonly failed: string | undefined;
  readonly slots: readonly SlotRow[];
  readonly clauses: readonly ClauseRow[];
  /** Of the switch's lines those that are wrong, as it has run: of each register that is lost, and why. */
  readonly wrong: readonly Problem[];
}

/** It cannot be assembled or linked. */
export interface Unbuilt {
  readonly kind: 'problems';
  /** One at least. */
  readonly problems: readonly Problem[];
}

/** A switch with one fault in it. */
export interface Broken {
  /** All that were asked about, one of them with another line. */
  readonly runtime: readonly Source[];
  /** Of that file, the line that is another. */
  readonly file: string;
  readonly line: number;
  /** What may be broken, in words, each another thing. */
  readonly choices: readonly string[];
  /** Index of the one choice that is true. */
  readonly right: number;
  /** Which line was changed to what, and what running it has shown. */
  readonly explanation: string;
}

/** What is asked for, each with what comes of it. Sources of the runtime are those that are edited, by their names. */
export interface WorkshopRequests {
  build: {
    ask: { readonly files: readonly ProgramFile[]; readonly runtime: readonly Source[] };
    reply: { readonly kind: 'built'; readonly program: BuiltProgram } | Unbuilt;
  };
  /** Whatever is not among the sources is as shipped. */
  measure: { ask: { readonly runtime: readonly Source[] }; reply: Measured | Unbuilt };
  /** The same seed breaks the same. Refused if the switch as it is cannot be assembled, or is broken already. */
  mutate: { ask: { readonly seed: number; readonly runtime: readonly Source[] }; reply: Broken };
}

export type WorkshopKind = keyof WorkshopRequests;

/** To the workshop. */
export type ToWorkshop = {
  [K in WorkshopKind]: { readonly kind: K; readonly number: number; readonly ask: WorkshopRequests[K]['ask'] };
}[WorkshopKind];

/** From the workshop. */
export type FromWorkshop =
  | { readonly kind: 'reply'; readonly number: number; readonly reply: unknown }
  /** It could not be done; `message` is for people. */
  | { readonly kind: 'refused'; readonly number: number; readonly message: string }
  /** A part comes, which is needed for the first time. */
  | { readonly kind: 'loading'; readonly part: 'assembler' | 'disassembler' | 'engine' }
  /** It is there. */
  | { readonly kind: 'loaded'; readonly part: 'assembler' | 'disassembler' | 'engine' };
