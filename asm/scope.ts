import { Fault, type Problems } from './errors.js';
import { constant, type Expression, type Lookup, label, wholeExpression } from './expression.js';
import { didYouMean, nearNames } from './near.js';
import { isNumericLabel, type Preprocessed } from './preprocessor.js';
import type { Place, Source, Statement } from './statement.js';

/** A name that the program defines. Its statement is a label or a `.set`. */
export interface Definition {
  readonly name: string;
  readonly statement: Statement;
  /** The statement's position in the program. */
  readonly at: number;
  readonly global: boolean;
}

/** The name by which Keystone knows the place of a statement. Never the reader's own, which it might misread. */
export const placeName = (at: number): string => `L${at}`;

/** The name by which Keystone knows the image's base. */
export const BASE_NAME = 'L';

/**
 * What names mean in a program of several sources: first those of the source itself, then the `.globl` ones of all,
 * then those from outside.
 */
export class Scope {
  readonly #own: Map<string, Definition[]>[];
  readonly #global = new Map<string, Definition>();
  readonly #values = new Map<Definition, Expression | 'evaluating'>();

  constructor(
    private readonly sources: readonly Source[],
    parts: readonly Preprocessed[],
    statements: readonly Statement[],
    private readonly base: bigint,
    private readonly outside: ReadonlyMap<string, bigint>,
    problems: Problems,
  ) {
    this.#own = sources.map(() => new Map<string, Definition[]>());
    statements.forEach((statement, at) => {
      if (statement.kind !== 'label' && statement.kind !== 'set') return;
      const { name, source } = statement;
      const global = parts[source]?.globals.has(name) ?? false;
      this.#define({ name, statement, at, global }, problems);
    });
    parts.forEach(({ globals }, source) => {
      for (const [name, place] of globals) this.#export(name, source, place, problems);
    });
  }

  #define(definition: Definition, problems: Problems): void {
    const own = this.#own[definition.statement.source] ?? new Map<string, Definition[]>();
    const { name, statement } = definition;
    const earlier = own.get(name);
    if (!earlier) {
      own.set(name, [definition]);
      return;
    }
    const first = earlier[0]?.statement;
    const again = (of: Statement | undefined) => of?.kind === 'set' && !of.once;
    if (again(statement) && again(first)) earlier.push(definition);
    else {
      const { file, line } = (first ?? statement).origin;
      problems.add(statement, `"${name}" is already defined at ${file}:${line}`, name);
    }
  }

  #export(name: string, source: number, place: Place, problems: Problems): void {
    const definition = this.#own[source]?.get(name)?.at(-1);
    // As in GNU as, declaring .globl what another source defines is fine.
    if (!definition) return;
    const other = this.#global.get(name)?.statement.origin;
    if (other) {
      problems.add(definition.statement, `"${name}" is already defined as .globl at ${other.file}:${other.line}`, name);
    } else if (this.outside.has(name)) {
      problems.add(place, `"${name}" is .globl here, but is also given as a symbol from outside`, name);
    } else this.#global.set(name, definition);
  }

  /** Every definition, in the order of the sources. */
  get definitions(): Definition[] {
    return this.#own.flatMap((own) => [...own.values()].flat());
  }

  /** The definition that counts in the end of each name that is meant to be seen from outside: not `1:`, not `.Lx`. */
  get visible(): Definition[] {
    const last = this.#own.flatMap((own) => [...own.values()].flatMap((definitions) => definitions.slice(-1)));
    return last.filter(({ name }) => !isNumericLabel(name) && !name.startsWith('.L'));
  }

  /** What names mean to the statement at a position of the program. The result throws Fault for an undefined one. */
  lookup(statement: Statement, at: number): Lookup {
    return (name) => {
      if (name === '.') return label(placeName(at));
      const own = this.#own[statement.source]?.get(name);
      // A name that is set several times means its latest value, or before the first one that.
      const definition = own?.findLast((each) => each.at < at) ?? own?.[0] ?? this.#global.get(name);
      if (definition) return this.value(definition);
      const outside = this.outside.get(name);
      if (outside !== undefined) return label(BASE_NAME, outside - this.base);
      throw this.#undefined(name, statement.source);
    };
  }

  /** @throws Fault, once only, if the definition cannot be evaluated, or only by way of itself */
  value(definition: Definition): Expression {
    const { statement, at, name } = definition;
    if (statement.kind !== 'set') return label(placeName(at));
    const known = this.#values.get(definition);
    if (known === 'evaluating') throw new Fault(`"${name}" is defined by way of itself`, name);
    if (known) return known;
    this.#values.set(definition, 'evaluating');
    try {
      const value = wholeExpression(statement.tokens, this.lookup(statement, at));
      this.#values.set(definition, value);
      return value;
    } catch (error) {
      // Any value, so that this fault is not reported again wherever the name is used.
      this.#values.set(definition, constant(1n));
      throw error;
    }
  }

  /** As lookup, but a symbol from outside is the number it stands for: for counts, which need one. */
  constants(statement: Statement, at: number): Lookup {
    const lookup = this.lookup(statement, at);
    return (name) => {
      const value = lookup(name);
      const outside = value.plus.length === 1 && value.plus[0] === BASE_NAME && value.minus.length === 0;
      return outside ? constant(value.constant + this.base) : value;
    };
  }

  #undefined(name: string, source: number): Fault {
    if (isNumericLabel(name)) {
      const digits = name.slice(0, name.indexOf('#'));
      return new Fault(`there is no label "${digits}:" behind this`, `${digits}f`);
    }
    const elsewhere = this.#own.findIndex((own) => own.has(name));
    if (elsewhere >= 0) {
      const file = this.sources[elsewhere]?.name;
      return new Fault(`undefined symbol "${name}": ${file} defines it, but without .globl ${name}`, name);
    }
    const visible = [...(this.#own[source]?.keys() ?? []), ...this.#global.keys(), ...this.outside.keys()];
    const near = nearNames(
      name,
      visible.filter((known) => !isNumericLabel(known)),
    );
    return new Fault(`undefined symbol "${name}"${didYouMean(near)}`, name);
  }
}
