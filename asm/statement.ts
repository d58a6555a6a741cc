/** A text to assemble. `name` is what messages and the line table call it. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** Where a statement is written. Lines and columns count from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One step on the way from a source to a statement: the `.include` or macro call at `at` brought it in. */
export interface Frame {
  readonly kind: 'include' | 'macro';
  readonly name: string;
  readonly at: Origin;
}

/** The sections of a program, in the order in which they are laid out. */
export const SECTION_NAMES = ['.text', '.rodata', '.data', '.bss'] as const;

/** One of the four sections. */
export type SectionName = (typeof SECTION_NAMES)[number];

/** A piece of a statement, read by the tokenizer. `text` is as written. */
export type Token =
  | { readonly kind: 'name'; readonly text: string; readonly name: string }
  | { readonly kind: 'number'; readonly text: string; readonly value: bigint }
  | { readonly kind: 'string'; readonly text: string; readonly bytes: readonly number[] }
  | { readonly kind: 'register'; readonly text: string; readonly name: string }
  | { readonly kind: 'operator'; readonly text: string };

/** What every statement knows: where it is from and where it goes. */
export interface Place {
  readonly origin: Origin;
  /** Innermost first; empty when the statement is written in a source itself. */
  readonly trail: readonly Frame[];
}

/**
 * A statement after preprocessing.
 *
 * `source` counts the sources from 0: the scope of names that are not `.globl`. `unit` numbers the inclusions: two
 * statements have the same one if the same visit to a file brought both in. `text` is as written, macro arguments put in.
 */
export type Statement = Place & {
  readonly source: number;
  readonly unit: number;
  readonly section: SectionName;
  readonly text: string;
} & (
    | { readonly kind: 'label'; readonly name: string }
    | { readonly kind: 'set'; readonly name: string; readonly once: boolean; readonly tokens: readonly Token[] }
    | { readonly kind: 'instruction'; readonly tokens: readonly Token[] }
    | { readonly kind: 'data'; readonly directive: string; readonly tokens: readonly Token[] }
    | { readonly kind: 'align'; readonly directive: string; readonly tokens: readonly Token[] }
  );
