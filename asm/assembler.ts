import { MOST_BYTES, renderAlign, renderData } from './data.js';
import { diagnose } from './diagnosis.js';
import { Fault, Problems } from './errors.js';
import type { Expression } from './expression.js';
import { Image, type ImageSymbol, type Line } from './image.js';
import { type Rendered, renderInstruction } from './instruction.js';
import { type Layout, layOut, PAGE_SIZE } from './layout.js';
import { type Include, preprocess } from './preprocessor.js';
import { BASE_NAME, placeName, Scope } from './scope.js';
import type { Source, Statement } from './statement.js';

/** Where a program goes and what it may refer to. */
export interface AssembleOptions {
  /** Address of the first section: a multiple of 4096, below 2 GiB. */
  readonly base: bigint;
  /** Symbols from outside, with their addresses, which are below 2 GiB. */
  readonly symbols?: ReadonlyMap<string, bigint>;
  /** Finds what `.include` names; without it nothing can be included. */
  readonly include?: Include;
}

// System V calls this the small code model: every address fits a sign-extended 32-bit field.
const ADDRESS_LIMIT = 1n << 31n;

function checkOptions(sources: readonly Source[], { base, symbols }: AssembleOptions): void {
  if (base < 0n || base >= ADDRESS_LIMIT || base % PAGE_SIZE !== 0n) {
    throw new RangeError(`base 0x${base.toString(16)} is not a multiple of 4096 below 2 GiB`);
  }
  for (const [name, value] of symbols ?? []) {
    if (value >= 0n && value < ADDRESS_LIMIT) continue;
    throw new RangeError(`outside symbol "${name}" is ${value}, which is not an address below 2 GiB`);
  }
  const names = sources.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new RangeError(`two sources are named "${twice}"`);
}

function render(statement: Statement, at: number, scope: Scope): Rendered {
  const lookup = scope.lookup(statement, at);
  if (statement.kind === 'instruction') return renderInstruction(statement, lookup);
  if (statement.kind === 'data') return renderData(statement, lookup, scope.constants(statement, at));
  if (statement.kind === 'align') return renderAlign(statement, scope.constants(statement, at));
  return { text: '', least: 0, most: 0, bounds: [] };
}

function evaluate({ plus, minus, constant }: Expression, addresses: ReadonlyMap<string, number>): bigint {
  const sum = (names: readonly string[]) => names.reduce((total, name) => total + BigInt(addresses.get(name) ?? 0), 0n);
  return sum(plus) - sum(minus) + constant;
}

function checkSize(
  statements: readonly Statement[],
  rendered: readonly (Rendered | undefined)[],
  problems: Problems,
): void {
  let size = 0;
  const at = rendered.findIndex((each) => {
    size += each?.least ?? 0;
    return size > MOST_BYTES;
  });
  const statement = statements[at];
  if (statement) problems.add(statement, `from here on the program is larger than ${MOST_BYTES} bytes`);
}

/** @throws Fault for a statement whose bytes cannot be right: Keystone reports success for some that it left out */
function checkOutcome(
  { text }: Statement,
  { least, most, bounds }: Rendered,
  at: number,
  { starts, ends }: Layout,
  addresses: ReadonlyMap<string, number>,
): void {
  const size = (ends[at] ?? 0) - (starts[at] ?? 0);
  if (size < least || size > most) throw new Fault(`Keystone makes ${size} bytes of this: "${text}"`);
  for (const bound of bounds) {
    const value = evaluate(bound.value, addresses);
    if (value < bound.least || value > bound.most) {
      throw new Fault(`${bound.reason} ${value} is not within ${bound.least} to ${bound.most}`);
    }
  }
}

function symbolsOf(scope: Scope, addresses: ReadonlyMap<string, number>): ImageSymbol[] {
  const symbols = new Map<string, ImageSymbol>();
  const byImportance = [...scope.visible].sort((a, b) => Number(b.global) - Number(a.global));
  for (const definition of byImportance) {
    const { name, statement, global } = definition;
    const kind = statement.kind === 'label' ? 'label' : 'constant';
    const value = evaluate(scope.value(definition), addresses);
    // Two sources may use one name for things of their own: the later one gets its file in front.
    const unique = symbols.has(name) ? `${statement.origin.file}:${name}` : name;
    symbols.set(unique, { name: unique, value, kind, global });
  }
  return [...symbols.values()];
}

function linesOf(statements: readonly Statement[], { starts, ends }: Layout): Line[] {
  const units = new Map<string, number>();
  const lines = statements.flatMap((statement, at): Line[] => {
    const [start = 0, end = 0] = [starts[at], ends[at]];
    if (start === end || statement.kind === 'align') return [];
    const key = `${statement.source}:${statement.unit}`;
    const unit = units.get(key) ?? units.size;
    units.set(key, unit);
    const { file, line } = statement.origin;
    // The trail has the innermost call first, so its last one is in a source.
    const from = statement.trail.at(-1)?.at ?? statement.origin;
    return [{ start, end, file, line, from: { file: from.file, line: from.line }, unit }];
  });
  return lines.sort((a, b) => a.start - b.start);
}

/**
 * Assembles sources as one program, in AT&T syntax as GNU as has it. A name that is not `.globl` belongs to its source.
 *
 * The sections are laid out from `base` in the order .text, .rodata, .data, .bss, each from a page of its own.
 * @throws AssemblyError naming every problem found, if the program cannot be assembled
 * @throws RangeError for a base or outside symbol that is not below 2 GiB, or sources of the same name
 */
export async function assemble(sources: readonly Source[], options: AssembleOptions): Promise<Image> {
  checkOptions(sources, options);
  const { base, symbols = new Map<string, bigint>(), include = () => undefined } = options;
  const problems = new Problems();
  const parts = sources.map((source, number) => preprocess(source, number, problems, include, symbols));
  if (parts.some(({ full }) => full)) problems.throwIfAny();
  const statements = parts.flatMap((part) => part.statements);
  const scope = new Scope(sources, parts, statements, base, symbols, problems);
  // Also the `.set` that nothing uses is evaluated, so that a fault in it is not passed over.
  for (const definition of scope.definitions) problems.at(definition.statement, () => scope.value(definition));
  const rendered = statements.map((statement, at) => problems.at(statement, () => render(statement, at, scope)));

  checkSize(statements, rendered, problems);
  const complete = rendered.filter((each) => each !== undefined);
  const outcome = problems.empty ? await layOut(statements, complete, base) : undefined;
  if (!outcome?.ok) {
    await diagnose(statements, rendered, base, problems, outcome?.errno);
    problems.throwIfAny();
    throw new Error('Keystone refuses the program as a whole, but none of its statements');
  }
  const { layout } = outcome;
  const end = Math.max(0, ...layout.sections.map(({ address, size }) => Number(address) + size));
  if (end > ADDRESS_LIMIT) throw new RangeError(`the image ends at 0x${end.toString(16)}, which is not below 2 GiB`);
  const addresses = new Map(layout.starts.map((start, at) => [placeName(at), start]));
  addresses.set(BASE_NAME, Number(base));
  statements.forEach((statement, at) => {
    const each = complete[at];
    if (each) problems.at(statement, () => checkOutcome(statement, each, at, layout, addresses));
  });
  problems.throwIfAny();
  return new Image(layout.sections, symbolsOf(scope, addresses), linesOf(statements, layout));
}
