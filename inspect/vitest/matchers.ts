import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Clause } from '../contract/clauses.js';
import { UsageError } from '../errors.js';
import type { LayoutData } from '../layout/data.js';
import { differencesFrom, readGolden } from '../layout/golden.js';
import { registerName } from '../layout/words.js';
import { hex } from '../names.js';
import { PROBED, type ProbedRegister } from '../probe/registers.js';
import { type Failure, failureText } from './failure.js';
import { LoadedSwitch } from './loaded-switch.js';
import type { FileName } from './run-program.js';

/** What a switch can keep for who is saved; of the flags only what the contract says of them. */
export type PreservedRegister = Exclude<ProbedRegister, 'eflags'>;

/** Which clauses a switch need not keep. */
export interface ContractOptions {
  /** By their ids, as `millscope check --require` takes them. */
  readonly except?: readonly string[];
}

/** Matchers for what `loadSwitch` returns. */
export interface SwitchMatchers {
  /**
   * Its layout is the golden one.
   * @param golden a golden file, by its path from the working directory or its URL, or what is in one
   */
  toHaveCtxLayout(golden: FileName | LayoutData): void;
  /**
   * These registers come back with the values that they were saved with; of mxcsr its control bits. With `not`, none of
   * them does.
   */
  toPreserve(register: PreservedRegister, ...registers: PreservedRegister[]): void;
  /** No clause of the System V ABI's contract is lost, but for those that are excepted. */
  toKeepContract(options?: ContractOptions): void;
  /** One switch, there or back, executes at most so many instructions. */
  toSwitchWithin(instructions: number): void;
}

/** What vitest makes of a matcher's judgement. */
interface Judgement {
  readonly pass: boolean;
  readonly message: () => string;
}

/** What vitest tells a matcher. */
interface Context {
  readonly isNot?: boolean;
}

function loaded(value: unknown): LoadedSwitch {
  if (value instanceof LoadedSwitch) return value;
  throw new UsageError('this is for what loadSwitch() returns: await that, and give it to expect()');
}

/** What can only be told of a switch that has both halves. */
function whole(value: unknown): LoadedSwitch {
  const code = loaded(value);
  if (code.hasRestore) return code;
  throw new UsageError(`${code}: nothing restores what it saves: load it together with the file that does`);
}

/** @param otherwise what is wrong if `not` was asked for and it passes */
function judge(code: LoadedSwitch, failure: Failure | undefined, otherwise: string): Judgement {
  if (failure === undefined) return { pass: true, message: () => otherwise };
  return { pass: false, message: () => failureText(code, failure) };
}

function isFileName(golden: FileName | LayoutData): golden is FileName {
  return typeof golden === 'string' || golden instanceof URL;
}

function goldenLayouts(golden: FileName | LayoutData): { name: string; layouts: readonly LayoutData[] } {
  if (!isFileName(golden)) return { name: 'it is expected', layouts: [golden] };
  const path = typeof golden === 'string' ? golden : fileURLToPath(golden);
  try {
    return { name: `${path} has it`, layouts: readGolden(readFileSync(path, 'utf8'), path) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `cannot read ${path} (${(error as NodeJS.ErrnoException).code}): millscope layout --write makes a golden file`,
    );
  }
}

function toHaveCtxLayout(received: unknown, golden: FileName | LayoutData): Judgement {
  const code = loaded(received);
  const { name, layouts } = goldenLayouts(golden);
  const { index, count } = code.place;
  const isAlike = layouts.length === count || layouts.length === 1;
  const differences = isAlike
    ? differencesFrom([layouts[layouts.length === 1 ? 0 : index]], [code.layout])
    : [{ what: 'switches', golden: `${layouts.length}`, now: `${count}` }];
  const failure = {
    title: `${code}: the layout is not as ${name}`,
    rows: [['at', 'expected', 'actual'], ...differences.map(({ what, golden: before, now }) => [what, before, now])],
    slots: differences.flatMap(({ what }) => code.slotAt(what) ?? []),
    moment: code.last?.moment,
  };
  return judge(code, differences.length === 0 ? undefined : failure, `${code}: the layout is as ${name}`);
}

function toPreserve(this: Context, received: unknown, ...registers: PreservedRegister[]): Judgement {
  const code = whole(received);
  const list = (names: readonly PreservedRegister[]): string => names.map(registerName).join(', ');
  const isKept = (register: PreservedRegister): boolean =>
    code.passages(register).every(({ before, after }) => before === after);
  const lost = registers.filter((register) => !isKept(register));
  if (this.isNot && lost.length < registers.length) {
    const kept = registers.filter(isKept);
    return { pass: true, message: () => `${code} preserves ${list(kept)}` };
  }
  const rows = lost.map((register) => {
    const passages = code.passages(register);
    const { before, after } = passages.find((one) => one.before !== one.after) ?? passages[0];
    return [registerName(register), hex(before), after === undefined ? 'nobody comes back' : hex(after)];
  });
  const slots = lost.flatMap((register) => code.slotsOf(register));
  const unsaved = lost.filter((register) => code.slotsOf(register).length === 0);
  const failure = {
    title: `${code} does not preserve ${list(lost)}${unsaved.length === 0 ? '' : `; in no slot: ${list(unsaved)}`}`,
    rows: [['register', 'expected', 'actual'], ...rows],
    slots,
    moment: code.last?.moment,
  };
  return judge(code, lost.length === 0 ? undefined : failure, `${code} preserves ${list(registers)}`);
}

/** The register that a clause is about; undefined if it is about none. */
function registerOf({ id }: Clause): ProbedRegister | undefined {
  return PROBED.find((register) => register === (id === 'x87' ? 'fpcw' : id));
}

function toKeepContract(received: unknown, { except = [] }: ContractOptions = {}): Judgement {
  const code = whole(received);
  const unknown = except.find((id) => !code.clauses.some((clause) => clause.id === id));
  if (unknown !== undefined) {
    const ids = code.clauses.map(({ id }) => id).join(', ');
    throw new UsageError(`there is no clause ${unknown}: there are ${ids}`);
  }
  const lost = code.clauses.filter(({ id, verdict }) => verdict === 'lost' && !except.includes(id));
  const rows = lost.map(({ id, verdict, evidence }) => [id, 'kept', verdict, evidence]);
  const failure = {
    title: `${code} does not keep its contract: ${lost.map(({ name }) => name).join(', ')}`,
    rows: [['clause', 'expected', 'actual', 'evidence'], ...rows],
    slots: lost.map(registerOf).flatMap((register) => (register === undefined ? [] : code.slotsOf(register))),
    moment: lost[0]?.moment,
  };
  return judge(code, lost.length === 0 ? undefined : failure, `${code} keeps its contract`);
}

function toSwitchWithin(received: unknown, instructions: number): Judgement {
  const code = whole(received);
  const { executed } = code;
  const count = executed?.length;
  const over = executed?.[instructions];
  const which = over === undefined ? '' : `; one too many is ${over.text} at ${over.place}`;
  const failure = {
    title: `${code} does not switch within ${instructions} instructions${which}`,
    rows: [
      ['', 'expected', 'actual'],
      ['instructions', `at most ${instructions}`, count === undefined ? 'nobody comes back' : `${count}`],
    ],
    slots: [],
    moment: over?.moment ?? code.last?.moment,
  };
  const isWithin = count !== undefined && count <= instructions;
  return judge(
    code,
    isWithin ? undefined : failure,
    `${code} switches within ${instructions} instructions: it takes ${count}`,
  );
}

/** For `expect.extend`. */
export const matchers = { toHaveCtxLayout, toPreserve, toKeepContract, toSwitchWithin };
