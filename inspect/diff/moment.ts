import { printable } from '../../asm/printable.js';
import { coroutineName, whoRuns } from '../format.js';
import { lookCommand } from '../invocation.js';
import { linkLines } from '../linkable.js';
import { type ChannelView, survey } from '../survey.js';
import type { Lane } from './lane.js';
import type { Comparison } from './parting.js';
import { endText, leads, nextInstruction, sidesTable, stateRows } from './report.js';

/** Words of memory that are shown; there may be many more. */
const MOST_WORDS = 30;

const list = (items: readonly string[]): string => (items.length === 0 ? '(none)' : items.join(', '));
const names = (ids: readonly number[]): string => list(ids.map(coroutineName));

function channelText({ items, capacity, senders, receivers, done }: ChannelView): string {
  return `${items} of ${capacity}${done ? ', done' : ''}; sends: ${names(senders)}; receives: ${names(receivers)}`;
}

/** What libmill knows, by what it is of. */
function known({ guest }: Lane): Map<string, string> {
  const { time, coroutines, ready, channels, timers } = survey(guest);
  return new Map([
    ['ready', names(ready)],
    ['timers', list(timers.map(({ coroutine, deadline }) => `${coroutineName(coroutine)} until ${deadline} ms`))],
    ['clock', `${time} ms`],
    ...coroutines.map(({ id, state }) => [coroutineName(id), state] as const),
    ...channels.map((channel) => [`channel <${channel.id}>`, channelText(channel)] as const),
  ]);
}

/** Two runs compared at one moment. */
export interface MomentComparison {
  readonly same: boolean;
  readonly text: string;
}

/** Compares two lanes that are at a moment: where they are, what libmill knows, registers, and memory. */
export async function compareMoment(
  lanes: readonly [Lane, Lane],
  moment: number,
  how: Comparison,
): Promise<MomentComparison> {
  const both = async (text: (lane: Lane) => string | Promise<string>): Promise<readonly [string, string]> => [
    await text(lanes[0]),
    await text(lanes[1]),
  ];
  const where = [
    ['who', ...(await both(({ guest }) => whoRuns(guest)))],
    ['instruction', ...(await both(nextInstruction))],
    ['of', ...(await both(({ guest }) => guest.describe(guest.cpu.read('rip'))))],
  ] as const;
  const [one, other] = lanes.map(known);
  const what = [...new Set([...one.keys(), ...other.keys()])];
  const { rows, more } = stateRows(lanes, how, MOST_WORDS);
  const differing = [
    ...what.map((key) => [key, one.get(key) ?? '(none)', other.get(key) ?? '(none)'] as const),
    ['the run', ...(await both(endText))] as const,
    ...rows,
  ].filter(([, left, right]) => left !== right);
  const unseen = how.meanings === undefined ? '' : ', but for memory, which is not compared between two programs';
  if ([...where, ...differing].every(([, left, right]) => left === right)) {
    return { same: true, text: `the runs are the same at moment ${moment}${unseen}` };
  }
  const shown = [...where, ...differing].map(([key, left, right]) => [key, printable(left), printable(right)] as const);
  const text = [
    `the runs differ at moment ${moment}`,
    sidesTable([lanes[0].label, lanes[1].label], shown),
    ...(more ? ['there is more memory that differs'] : []),
    'to look at both sides:',
    ...(await both(async ({ run }) => leads(lookCommand(run, moment), await linkLines(run, moment)))),
  ];
  return { same: false, text: text.join('\n') };
}
