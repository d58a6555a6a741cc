import { join } from 'node:path';
import { INCLUDE } from '../compile.js';
import { UsageError } from '../errors.js';
import { colors } from '../format.js';
import { stepCommand } from '../invocation.js';
import { type MeasureOptions, measurementsOf, readFrom, writeTo } from '../layout/command.js';
import { type JunitCase, junitText } from '../layout/junit.js';
import { titleOf } from '../layout/words.js';
import { type ColorOptions, DEFAULTS } from '../options.js';
import { type Ending, STATUS } from '../outcome.js';
import { whatFailed } from '../probe/ending.js';
import type { Run } from '../run.js';
import { print, wantsColor } from '../terminal.js';
import { check } from './check.js';
import type { Clause } from './clauses.js';
import { type AsmStatement, asmStatements } from './declared.js';
import { clauseTable } from './table.js';

/** What `millscope check` is asked to do. */
export interface CheckOptions extends MeasureOptions, ColorOptions {
  readonly json?: boolean;
  /** Clauses that must not be lost. */
  readonly require?: readonly string[];
  /** Path. */
  readonly junit?: string;
}

/** The header that comes with this package: what it declares is known without being given. */
const OWN_HEADER = 'libmill.h';
/** What `--require` calls several clauses by. */
const GROUPS: Readonly<Record<string, (clause: Clause) => boolean>> = {
  all: () => true,
  abi: ({ id }) => ABI.includes(id),
};
const ABI = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', 'rsp', 'rip', 'mxcsr', 'x87', 'df'];

/** The `asm` statements that are known: of libmill.h, and of these headers. @throws UsageError if one cannot be read */
export function statementsIn(headers: readonly string[]): AsmStatement[] {
  const own = asmStatements(OWN_HEADER, readFrom(join(INCLUDE, OWN_HEADER)));
  return [...headers.flatMap((path) => asmStatements(path, readFrom(path))), ...own];
}

/** The clauses that `--require` names. @throws UsageError for one that there is not */
function required(names: readonly string[], clauses: readonly Clause[]): Clause[] {
  return names.flatMap((name) => {
    const group = GROUPS[name];
    const found = clauses.filter((clause) => (group === undefined ? clause.id === name : group(clause)));
    if (found.length > 0) return found;
    const known = [...Object.keys(GROUPS), ...clauses.map(({ id }) => id)].join(', ');
    throw new UsageError(`there is no clause "${name}": there are ${known}`);
  });
}

function caseOf(suite: string, { name, verdict, evidence }: Clause, isRequired: boolean): JunitCase {
  return { suite, name, failure: verdict === 'lost' && isRequired ? evidence : undefined };
}

/** Measures, and holds what was measured to its contract. */
export async function checkFiles(paths: readonly string[], options: CheckOptions): Promise<Ending> {
  const headers = paths.filter((path) => path.endsWith('.h'));
  const files = paths.filter((path) => !path.endsWith('.h'));
  const statements = statementsIn(headers);
  const paint = colors(wantsColor(options));
  const measurements = await measurementsOf(files, options);
  const objects: unknown[] = [];
  const cases: JunitCase[] = [];
  const lost: string[] = [];
  let failed: string | undefined;
  for (const [index, measurement] of measurements.entries()) {
    const { code } = measurement;
    const clauses = await check(measurement, statements);
    const wanted = required(options.require ?? [], clauses);
    const { save, restore, switch: swap, archive, cc } = options;
    const ctx = options.from && options.to ? ([options.from, options.to] as const) : options.ctx;
    const run: Run = {
      paths: files,
      arguments: [],
      options: {
        ...DEFAULTS,
        archive,
        cc,
        probe: index + 1,
        ...(save && { save }),
        ...(restore && { restore }),
        ...(swap && { switch: swap }),
        ...(ctx && { ctx }),
      },
    };
    const commandOf = ({ moment }: Clause): string | undefined =>
      moment === undefined ? undefined : stepCommand(run, moment);
    const problem = whatFailed(measurement);
    failed ??= problem;
    lost.push(...wanted.filter(({ verdict }) => verdict === 'lost').map(({ name }) => `${code.name}: ${name}`));
    cases.push(
      ...clauses.map((clause) => caseOf(code.name, clause, options.require === undefined || wanted.includes(clause))),
    );
    if (options.json) {
      const listed = clauses.map((clause) => ({ ...clause, command: commandOf(clause) }));
      objects.push({
        name: code.name,
        convention: code.convention,
        clauses: listed,
        ...(problem && { failed: problem }),
      });
      continue;
    }
    const steps = clauses
      .filter(({ verdict }) => verdict === 'lost')
      .flatMap((clause) => {
        const command = commandOf(clause);
        return command === undefined ? [] : [`${clause.name}: ${command}`];
      });
    const text = [
      paint.bold(titleOf(code)),
      ...(problem === undefined ? [] : [paint.red(`not measured to the end: ${problem}`)]),
      clauseTable(clauses, paint),
      ...(steps.length === 0 ? [] : ['to see what is lost:', ...steps.map((step) => `  ${step}`)]),
    ];
    print(1, `${index === 0 ? '' : '\n'}${text.join('\n')}\n`);
  }
  if (options.json) print(1, `${JSON.stringify(objects.length === 1 ? objects[0] : { checks: objects }, null, 1)}\n`);
  if (options.junit !== undefined) writeTo(options.junit, junitText(cases));
  if (failed !== undefined) return { status: STATUS.usage, message: `millscope: not measured to the end: ${failed}` };
  if (lost.length === 0) return { status: 0, message: undefined };
  return { status: STATUS.ours, message: `millscope: required and lost: ${lost.join(', ')}` };
}
