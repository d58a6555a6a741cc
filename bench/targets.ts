import { ENGINES } from '../emu/open.js';
import { findRow, type Row } from './contest.js';
import { BACK_TO_SWITCH, MEDIAN, NINETY_NINTH, PLAIN, RECORDED, STEP_BACK } from './history.js';
import { STARTED } from './startup.js';
import { STEPPED } from './stepping.js';
import { FLOOR, IN_ASSEMBLY, scheduledInC } from './switches.js';
import { TRACED } from './tracing.js';

/** A ratio that is to be reached, or a time. */
export interface Target {
  readonly what: string;
  readonly on: string;
  readonly goal: number;
  readonly limit: 'at least' | 'at most';
  /** Of the goal; none if it is a ratio. */
  readonly unit?: string;
  /** undefined if something that it takes is not here. */
  readonly reached: number | undefined;
}

interface Goal {
  readonly what: string;
  readonly limit: Target['limit'];
  readonly unit?: string;
  /** By engine, in the order of ENGINES. */
  readonly goals: readonly number[];
  readonly part: string;
  readonly row: string;
  /** What the ratio is to: a row of the same engine, or the same thing elsewhere. Without it, the figure counts. */
  readonly to?: { readonly what?: string; readonly on?: string };
}

const GOALS: readonly Goal[] = [
  {
    what: 'yield / swap of the same ten values, both in assembly',
    limit: 'at least',
    goals: [0.75, 0.75],
    part: 'switches',
    row: IN_ASSEMBLY,
    to: { what: FLOOR },
  },
  {
    what: 'yield / the same with the scheduler in C, emulated',
    limit: 'at least',
    goals: [1.5, 1.2],
    part: 'switches',
    row: 'yield',
    to: { what: scheduledInC('yield') },
  },
  {
    what: 'stepped with 18 registers read / Python unicorn',
    limit: 'at least',
    goals: [5, 20],
    part: 'stepping',
    row: STEPPED,
    to: { on: 'Python unicorn' },
  },
  {
    what: 'stepped with 18 registers read / gdb',
    limit: 'at least',
    goals: [40, 150],
    part: 'stepping',
    row: STEPPED,
    to: { on: 'gdb' },
  },
  ...[
    { to: 'qemu-user', goals: [1, 1] },
    { to: 'gdb', goals: [5, 5] },
  ].map(({ to: on, goals }): Goal => {
    return { what: `${TRACED} / ${on}`, limit: 'at least', goals, part: 'tracing', row: TRACED, to: { on } };
  }),
  {
    what: `${STARTED} / empty Node process`,
    limit: 'at most',
    goals: [3, 2.5],
    part: 'start-up',
    row: STARTED,
    to: { on: 'empty Node' },
  },
  {
    what: `${RECORDED} / ${PLAIN}`,
    limit: 'at most',
    goals: [1.5, 1.5],
    part: 'history',
    row: RECORDED,
    to: { what: PLAIN },
  },
  ...[STEP_BACK, BACK_TO_SWITCH].flatMap((move) => [
    { ...moved(`${move}, ${MEDIAN}`), goals: [10, 10] },
    { ...moved(`${move}, ${NINETY_NINTH}`), goals: [30, 30] },
  ]),
];

/** A move within a run, by its row. */
function moved(row: string): Pick<Goal, 'what' | 'limit' | 'unit' | 'part' | 'row'> {
  return { what: row, limit: 'at most', unit: 'ms', part: 'history', row };
}

/** What has been reached, of the targets whose part was measured. */
export function targets(parts: Readonly<Record<string, readonly Row[]>>): Target[] {
  return GOALS.filter(({ part }) => parts[part] !== undefined).flatMap(({ what, limit, goals, unit, part, row, to }) =>
    ENGINES.map((on, index) => {
      const found = findRow(parts[part], { what: row, on });
      const named = (field: 'what' | 'on') => (other: { what: string; on: string }) =>
        to?.[field] === undefined || other[field] === to[field];
      const ratio = found?.ratios.filter(named('what')).find(named('on'))?.value;
      const reached = to === undefined ? found?.figure?.median : ratio;
      return { what, on, goal: goals[index], limit, ...(unit === undefined ? {} : { unit }), reached };
    }),
  );
}

/** Whether a target is met, in a word. */
export function verdict({ goal, limit, reached }: Target): 'reached' | 'missed' | 'not measured' {
  if (reached === undefined) return 'not measured';
  return (limit === 'at least' ? reached >= goal : reached <= goal) ? 'reached' : 'missed';
}
