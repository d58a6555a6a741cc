import { ALIGN_DIRECTIVES, DATA_DIRECTIVES, isIgnored, knownDirectives, refusal, sectionOf } from './directives.js';
import { Fault, type Problems } from './errors.js';
import { constant, constantValue, isConstant, type Lookup, splitAtCommas, wholeExpression } from './expression.js';
import { expandMacro, type Macro, parseMacroHead } from './macro.js';
import { didYouMean, nearNames } from './near.js';
import { type Piece, scan } from './scanner.js';
import type { Frame, Place, SectionName, Source, Statement, Token } from './statement.js';
import { tokenize } from './tokens.js';

/** Finds the text behind `.include "name"`; `fromFile` is the name of the file that has the directive. */
export type Include = (name: string, fromFile: string) => Source | undefined;

/** A source without anything that Keystone cannot take: no comments, macros, includes or sections. */
export interface Preprocessed {
  readonly statements: readonly Statement[];
  /** Names declared `.globl`, and where first. */
  readonly globals: ReadonlyMap<string, Place>;
  /** Whether reading stopped at the largest number of statements there may be. */
  readonly full: boolean;
}

/** Where the text being read comes from. */
interface Reading {
  readonly file: string;
  readonly trail: readonly Frame[];
  readonly unit: number;
}

/** A statement without what it has from where it stands. */
type Body<S> = S extends Statement ? Omit<S, 'origin' | 'trail' | 'source' | 'unit' | 'section' | 'text'> : never;

const DEEPEST_NESTING = 64;
/** Of macro calls, includes and rounds of `.rept`. */
const MOST_EXPANSIONS = 200_000;
const MOST_STATEMENTS = 100_000;
const LABEL = /^\s*([A-Za-z_.$\u0080-\uffff][\w.$\u0080-\uffff]*|[0-9]+)\s*:/;
const ASSIGNMENT = /^([A-Za-z_.$][\w.$]*)\s*==?\s*([^=].*)$/s;
const WORD = /^\S+/;

/** Numeric labels get names that nobody can write: `1#3` is the third label `1:` of a source. */
export const isNumericLabel = (name: string): boolean => name.includes('#');

class Preprocessor {
  readonly statements: Statement[] = [];
  readonly globals = new Map<string, Place>();
  readonly #macros = new Map<string, Macro>();
  readonly #numericLabels = new Map<string, number>();
  readonly #constants = new Map<string, bigint>();
  #section: SectionName | 'ignored' = '.text';
  #units = 0;
  #expansions = 0;
  #macroCalls = 0;
  full = false;

  constructor(
    private readonly source: number,
    private readonly problems: Problems,
    private readonly include: Include,
    private readonly outside: ReadonlyMap<string, bigint>,
  ) {}

  readFile({ name, text }: Source, trail: readonly Frame[]): void {
    const reading = { file: name, trail, unit: this.#units++ };
    this.#read(this.#scan(text, reading), reading);
  }

  #scan(text: string, reading: Reading, line = 1, column = 1): Piece[] {
    return scan(text, (piece, fault) => this.problems.add(this.#place(piece, reading), fault.reason), line, column);
  }

  #place({ line, column }: Piece, { file, trail }: Reading): Place {
    return { origin: { file, line, column }, trail };
  }

  #read(pieces: readonly Piece[], reading: Reading): void {
    for (let at = 0; at < pieces.length && !this.full; at++) {
      const piece = pieces[at];
      if (!piece) continue;
      const place = this.#place(piece, reading);
      const text = this.#takeLabels(piece, reading);
      const word = WORD.exec(text)?.[0].toLowerCase() ?? '';
      if (word === '.macro' || word === '.rept') {
        const end = this.#endOfBlock(pieces, at, word);
        const body = pieces.slice(at + 1, end);
        if (end === undefined) this.problems.add(place, `"${word}" without "${word === '.macro' ? '.endm' : '.endr'}"`);
        else this.problems.at(place, () => this.#block(word, text.slice(word.length), body, reading));
        at = end ?? pieces.length;
      } else if (text !== '') this.problems.at(place, () => this.#statement(text, { ...piece, text }, reading));
    }
  }

  #endOfBlock(pieces: readonly Piece[], start: number, opening: string): number | undefined {
    const closing = opening === '.macro' ? '.endm' : '.endr';
    let depth = 0;
    for (let at = start; at < pieces.length; at++) {
      const word = WORD.exec((pieces[at]?.text ?? '').replace(LABEL, '').trimStart())?.[0].toLowerCase();
      if (word === opening) depth++;
      else if (word === closing && --depth === 0) return at;
    }
    return undefined;
  }

  #block(word: string, rest: string, body: readonly Piece[], reading: Reading): void {
    if (word === '.macro') {
      const head = parseMacroHead(rest);
      this.#macros.set(head.name, { ...head, body, file: reading.file });
      return;
    }
    const count = constantValue(this.#tokens(rest), this.#lookup, 'the count of .rept');
    if (count < 0n) throw new Fault(`".rept ${count}": the count is negative`);
    for (let done = 0n; done < count && !this.full; done++) {
      this.#expanded();
      this.#read(body, reading);
    }
  }

  /** Only what is known at this point of the text, which is all that `.rept` may depend on. */
  readonly #lookup: Lookup = (name) => {
    const value = this.#constants.get(name) ?? this.outside.get(name);
    if (value === undefined) throw new Fault(`"${name}" is not known as a number here`, name);
    return constant(value);
  };

  #tokens(text: string): Token[] {
    return tokenize(text, (digits, direction) => {
      const number = String(Number(digits));
      const count = (this.#numericLabels.get(number) ?? 0) + (direction === 'f' ? 1 : 0);
      if (count === 0) throw new Fault(`there is no label "${digits}:" before this`, `${digits}b`);
      return `${number}#${count}`;
    });
  }

  #takeLabels(piece: Piece, reading: Reading): string {
    let rest = piece.text;
    for (let match = LABEL.exec(rest); match; match = LABEL.exec(rest)) {
      const [whole, written = ''] = match;
      let name = written;
      if (/^[0-9]/.test(written)) {
        const number = String(Number(written));
        const count = (this.#numericLabels.get(number) ?? 0) + 1;
        this.#numericLabels.set(number, count);
        name = `${number}#${count}`;
      }
      const column = piece.column + piece.text.length - rest.trimStart().length;
      this.#add({ ...piece, text: `${written}:`, column }, reading, { kind: 'label', name });
      rest = rest.slice(whole.length);
    }
    return rest.trim();
  }

  #add(piece: Piece, reading: Reading, body: Body<Statement>, section = this.#section): void {
    if (section === 'ignored') return;
    if (this.full) return;
    if (this.statements.length === MOST_STATEMENTS) {
      this.full = true;
      this.problems.add(this.#place(piece, reading), `the program has more than ${MOST_STATEMENTS} statements`);
      return;
    }
    const { source } = this;
    const statement = {
      ...this.#place(piece, reading),
      source,
      unit: reading.unit,
      section,
      text: piece.text,
      ...body,
    };
    this.statements.push(statement);
  }

  #statement(text: string, piece: Piece, reading: Reading): void {
    const word = WORD.exec(text)?.[0] ?? '';
    const rest = text.slice(word.length).trim();
    const macro = this.#macros.get(word);
    const assignment = ASSIGNMENT.exec(text);
    if (macro) this.#call(macro, rest, piece, reading);
    else if (assignment) this.#set(assignment[1] ?? '', assignment[2] ?? '', false, piece, reading);
    else if (word.startsWith('.')) this.#directive(word.toLowerCase(), rest, piece, reading);
    else if (this.#section !== 'ignored') this.#instruction(text, piece, reading);
  }

  #instruction(text: string, piece: Piece, reading: Reading): void {
    // Keystone does not know these two.
    const marker = { endbr64: [0xf3, 0x0f, 0x1e, 0xfa], endbr32: [0xf3, 0x0f, 0x1e, 0xfb] }[text.toLowerCase()];
    if (marker) {
      const bytes = { kind: 'string' as const, text, bytes: marker };
      this.#add(piece, reading, { kind: 'data', directive: '.ascii', tokens: [bytes] });
    } else this.#add(piece, reading, { kind: 'instruction', tokens: this.#tokens(text) });
  }

  #set(name: string, value: string, once: boolean, piece: Piece, reading: Reading): void {
    if (name === '.') throw new Fault(refusal('.org'), '.');
    const tokens = this.#tokens(value);
    this.#add(piece, reading, { kind: 'set', name, once, tokens });
    try {
      const now = wholeExpression(tokens, this.#lookup);
      if (isConstant(now)) this.#constants.set(name, now.constant);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // Not known yet; whether it ever is gets found out when the whole program is.
      this.#constants.delete(name);
    }
  }

  #directive(word: string, rest: string, piece: Piece, reading: Reading): void {
    const data = DATA_DIRECTIVES.get(word);
    if (word === '.text' || word === '.data' || word === '.bss') {
      if (rest !== '') throw new Fault(`"${word}" takes no number here`, rest);
      this.#section = word;
    } else if (word === '.section') this.#enterSection(rest);
    else if (this.#section === 'ignored' || isIgnored(word)) return;
    else if (word === '.globl' || word === '.global' || word === '.weak') {
      for (const name of rest.split(',')) {
        if (!/^\s*[^\s,]+\s*$/.test(name)) throw new Fault(`"${word}" takes names with commas between them`, rest);
        if (!this.globals.has(name.trim())) this.globals.set(name.trim(), this.#place(piece, reading));
      }
    } else if (word === '.include') this.#include(rest, piece, reading);
    else if (word === '.set' || word === '.equ' || word === '.equiv') {
      const set = /^([A-Za-z_.$][\w.$]*)\s*,(.+)$/s.exec(rest);
      if (!set) throw new Fault(`write "${word} name, value"`);
      this.#set(set[1] ?? '', set[2] ?? '', word === '.equiv', piece, reading);
    } else if (word === '.comm' || word === '.lcomm') this.#common(word, rest, piece, reading);
    else if (data) this.#add(piece, reading, { kind: 'data', directive: data, tokens: this.#data(data, rest) });
    else if (ALIGN_DIRECTIVES.has(word)) {
      this.#add(piece, reading, { kind: 'align', directive: word, tokens: this.#tokens(rest) });
    } else throw new Fault(refusal(word) + didYouMean(nearNames(word, knownDirectives())), word);
  }

  #data(directive: string, rest: string): Token[] {
    if (directive !== '.float' && directive !== '.double') return this.#tokens(rest);
    // The tokenizer knows whole numbers only, so these are made from their bytes here.
    const bytes = rest.split(',').flatMap((part) => {
      const value = part.trim() === '' ? Number.NaN : Number(part);
      if (Number.isNaN(value)) throw new Fault(`"${part.trim()}" is not a number`, part.trim());
      const view = new DataView(new ArrayBuffer(directive === '.float' ? 4 : 8));
      if (directive === '.float') view.setFloat32(0, value, true);
      else view.setFloat64(0, value, true);
      return [...new Uint8Array(view.buffer)];
    });
    return [{ kind: 'string', text: rest, bytes }];
  }

  #enterSection(rest: string): void {
    const name = /^"?([^",\s]+)/.exec(rest)?.[1] ?? '';
    const section = sectionOf(name);
    if (!section) {
      throw new Fault(
        `unknown section "${name}": there are .text, .rodata, .data and .bss, and .text.name and so on`,
        name,
      );
    }
    this.#section = section;
  }

  #common(word: string, rest: string, piece: Piece, reading: Reading): void {
    const [name, size, alignment] = splitAtCommas(this.#tokens(rest));
    const [symbol] = name ?? [];
    if (symbol?.kind !== 'name' || !size) throw new Fault(`write "${word} name, size, alignment"`);
    const one: Token = { kind: 'number', text: '1', value: 1n };
    this.#add(piece, reading, { kind: 'align', directive: '.balign', tokens: alignment ?? [one] }, '.bss');
    this.#add(piece, reading, { kind: 'label', name: symbol.name }, '.bss');
    this.#add(piece, reading, { kind: 'data', directive: '.space', tokens: size }, '.bss');
    if (word === '.comm') this.globals.set(symbol.name, this.#place(piece, reading));
  }

  #include(rest: string, piece: Piece, reading: Reading): void {
    const name = /^"(.+)"$/.exec(rest)?.[1];
    if (name === undefined) throw new Fault('write .include "name"');
    const source = this.include(name, reading.file);
    if (!source) throw new Fault(`include file not found: "${name}"`, name);
    const { origin } = this.#place(piece, reading);
    const trail: Frame[] = [{ kind: 'include', name: source.name, at: origin }, ...reading.trail];
    const open = [reading.file, ...reading.trail.filter(({ kind }) => kind === 'include').map(({ at }) => at.file)];
    const again = open.indexOf(source.name);
    if (again >= 0) {
      const chain = [source.name, ...open.slice(0, again + 1)].reverse();
      throw new Fault(`a file includes itself: ${chain.map((file) => `"${file}"`).join(' includes ')}`, name);
    }
    this.#tooDeep(trail);
    this.#expanded();
    this.readFile(source, trail);
  }

  #call(macro: Macro, rest: string, piece: Piece, reading: Reading): void {
    const trail: Frame[] = [
      { kind: 'macro', name: macro.name, at: this.#place(piece, reading).origin },
      ...reading.trail,
    ];
    this.#tooDeep(trail);
    this.#expanded();
    const body = expandMacro(macro, rest, this.#macroCalls++);
    // A macro that a file calls for itself is still that file; one from elsewhere is a visit to where it is written.
    const unit = macro.file === reading.file ? reading.unit : this.#units++;
    const inside = { file: macro.file, trail, unit };
    // Once more, because an argument may have brought separators and comments with it.
    const pieces = body.flatMap(({ text, line, column }) => this.#scan(text, inside, line, column));
    this.#read(pieces, inside);
  }

  /** Statements are counted where they arise; this bounds what brings none. */
  #expanded(): void {
    this.#expansions += 1;
    if (this.#expansions <= MOST_EXPANSIONS || this.full) return;
    this.full = true;
    throw new Fault(`macros, includes and repetitions are expanded more than ${MOST_EXPANSIONS} times`);
  }

  #tooDeep(trail: readonly Frame[]): void {
    if (trail.length <= DEEPEST_NESTING) return;
    // What calls itself twice would go on failing 2^64 times.
    this.full = true;
    throw new Fault(
      `macros and includes are nested deeper than ${DEEPEST_NESTING}: is "${trail[0]?.name}" its own cause?`,
    );
  }
}

/**
 * Turns a source into a flat list of statements; what is wrong goes to `problems`.
 *
 * @param source the source's number in the program
 * @param outside the values of symbols from outside, which `.rept` may use
 */
export function preprocess(
  text: Source,
  source: number,
  problems: Problems,
  include: Include,
  outside: ReadonlyMap<string, bigint>,
): Preprocessed {
  const preprocessor = new Preprocessor(source, problems, include, outside);
  preprocessor.readFile(text, []);
  return preprocessor;
}
