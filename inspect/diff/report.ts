import Table from 'cli-table3';
import { printable } from '../../asm/printable.js';
import { REGISTERS } from '../../emu/registers.js';
import { regionAt } from '../../runtime/region.js';
import { coroutineName, hex, whoRuns } from '../format.js';
import { instructionText } from '../instruction-text.js';
import { listingCommand } from '../invocation.js';
import { linkLines } from '../linkable.js';
import { ending } from '../outcome.js';
import type { Lane } from './lane.js';
import type { Comparison, Parting } from './parting.js';
import { differingWords } from './state.js';

/** Words of memory that are shown; there may be many more. */
const MOST_WORDS = 6;

/** Rows of a table with two sides. */
export type Sides = readonly (readonly [what: string, one: string, other: string])[];

/** Both sides beside each other. */
export function sidesTable(labels: readonly [string, string], rows: Sides): string {
  const table = new Table({
    head: ['', ...labels],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

/** What leads to a moment of one side, below a line that says so. */
export function leads(command: string, links: readonly string[]): string {
  return [command, ...links].map((line) => `  ${line}`).join('\n');
}

/** What a lane executes next. */
export const nextInstruction = async ({ guest }: Lane): Promise<string> =>
  (await instructionText(guest, guest.cpu.read('rip'))) ?? '(none)';

/** Whether a lane's run has ended, and how. */
export async function endText({ guest, outcome }: Lane): Promise<string> {
  if (outcome === undefined) return 'goes on';
  if (outcome.kind === 'exit') return `has ended: exit ${outcome.status}`;
  const { message = outcome.kind } = await ending(guest, outcome);
  return `has ended: ${message
    .trimEnd()
    .split('\n')
    .at(-1)
    ?.replace(/^millscope: /, '')}`;
}

const lastSwitchText = ({ lastSwitch }: Lane): string =>
  lastSwitch === undefined
    ? 'no switch came before'
    : `the last switch before was at moment ${lastSwitch.moment}: ${coroutineName(lastSwitch.from)} → ${coroutineName(lastSwitch.to)}`;

/**
 * The registers and the words of memory in which two processes differ, and whether there are more than that.
 * @param mostWords of memory
 */
export function stateRows(
  lanes: readonly [Lane, Lane],
  { meanings, ignored }: Pick<Comparison, 'meanings' | 'ignored'>,
  mostWords: number,
): { readonly rows: Sides; readonly more: boolean } {
  const rows: (readonly [string, string, string])[] = [];
  const [one, other] = [lanes[0].guest.save(), lanes[1].guest.save()];
  for (const name of REGISTERS) {
    const [first, second] = [one.cpu.registers[name], other.cpu.registers[name]];
    if (first === second || (meanings !== undefined && meanings[0].of(first) === meanings[1].of(second))) continue;
    rows.push([name, hex(first), hex(second)]);
  }
  if (meanings !== undefined) return { rows, more: false };
  let words = 0;
  for (const address of differingWords(one, other, ignored)) {
    if (words++ === mostWords) break;
    const [first, second] = lanes.map(({ guest }) => hex(guest.cpu.memory.u64(address)));
    rows.push([`${hex(BigInt(address))} (${regionAt(lanes[0].guest, address)})`, first, second]);
  }
  return { rows, more: words > mostWords };
}

/** Takes both to where they part, and shows both sides. */
export async function partingText(
  lanes: readonly [Lane, Lane],
  { moment, marks }: Parting,
  how: Comparison,
): Promise<string> {
  const both = async (text: (lane: Lane) => string | Promise<string>): Promise<readonly [string, string]> => [
    await text(lanes[0]),
    await text(lanes[1]),
  ];
  const rows: (readonly [string, string, string])[] = [];
  const addIfDifferent = (what: string, [one, other]: readonly [string, string]): void => {
    if (one !== other) rows.push([what, one, other]);
  };
  lanes.forEach((lane, index) => {
    lane.backTo(marks[index]);
    lane.advance(moment - 1);
  });
  const before = lastSwitchText(lanes[0]);
  const rip = (lane: Lane): bigint => lane.read('rip');
  rows.push(['who', ...(await both(({ guest }) => whoRuns(guest)))]);
  rows.push(['instruction', ...(await both(nextInstruction))]);
  rows.push(['of', ...(await both((lane) => lane.guest.describe(rip(lane))))]);
  const written = lanes.map((lane) => lane.written.length);
  for (const lane of lanes) lane.advance(moment);
  rows.push(['goes on at', ...(await both((lane) => lane.guest.describe(rip(lane))))]);
  addIfDifferent('then', await both(({ guest }) => whoRuns(guest)));
  const state = stateRows(lanes, how, MOST_WORDS);
  rows.push(...state.rows);
  const output = ({ written }: Lane, from: number): string =>
    JSON.stringify(
      written
        .slice(from)
        .map(({ bytes }) => new TextDecoder().decode(bytes))
        .join(''),
    );
  addIfDifferent('writes', [output(lanes[0], written[0]), output(lanes[1], written[1])]);
  addIfDifferent('next', await both(nextInstruction));
  // What cannot be executed ends a run at the moment in front of it.
  for (const lane of lanes) lane.advance(moment + 1);
  addIfDifferent('the run', await both(endText));
  return [
    `the runs part at moment ${moment}; ${before}`,
    sidesTable(
      [lanes[0].label, lanes[1].label],
      rows.map(([what, first, second]) => [what, printable(first), printable(second)]),
    ),
    ...(state.more ? ['there is more memory that differs'] : []),
    'to look at both sides:',
    ...(await both(async ({ run }) => leads(listingCommand(run, moment), await linkLines(run, moment)))),
  ].join('\n');
}
