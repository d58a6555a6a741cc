import { ENGINES } from '../emu/open.js';
import { assembleProgram } from '../inspect/program-image.js';
import { bareSwitches } from './assembly.js';
import { buildBare, NO_COMPILER } from './compiler.js';
import { Contest, type Row } from './contest.js';
import { withEngines } from './engines.js';
import type { Effort } from './measure.js';
import { type Stepped, tools } from './tools.js';

/** Of the program, which has some 62 instructions a round: more than anybody steps, and what qemu-user runs through. */
const ROUNDS = 1_500;
/** Instructions. */
const COUNT = 60_000;
const UNIT = 'instructions/s';

/** Instructions executed one at a time with 16 general registers, rip and eflags read at each. */
export const STEPPED = 'stepped, 18 registers read';

/** Single-stepped instructions a second, of the same code with every tool that is here. */
export async function stepping({ rounds, divisor }: Effort): Promise<Row[]> {
  const text = bareSwitches(Math.ceil(ROUNDS / divisor));
  const image = await assembleProgram({ name: 'bench.s', text });
  const program: Stepped = {
    image,
    executable: NO_COMPILER === undefined ? buildBare('stepped', text, image.symbol('main')) : '',
  };
  return withEngines((engines, missing) => {
    const contest = new Contest();
    const others = tools();
    const less = (count: number): number => Math.ceil(count / divisor);
    for (const on of ENGINES) {
      const engine = engines.find(({ name }) => name === on);
      const name = { what: STEPPED, on };
      if (engine === undefined) {
        contest.miss(name, UNIT, missing.get(on) ?? '');
        continue;
      }
      const step = (count: number) => engine.do({ kind: 'step', image: image.toJSON(), count });
      const run = async () => (1000 * less(COUNT)) / (await step(less(COUNT))).ms;
      contest.add(name, UNIT, run, ...others.map((tool) => ({ on: tool.name })));
    }
    for (const { name: on, version, missing: why, count, step } of others) {
      const name = { what: STEPPED, on };
      if (version === undefined) {
        contest.miss(name, UNIT, why);
        continue;
      }
      const run = async () => {
        const steps = step(program, less(count));
        // Where so many steps end does not depend on who steps.
        if (steps.end !== undefined && engines.length > 0) {
          const { output } = await engines[0].do({ kind: 'step', image: image.toJSON(), count: steps.count });
          if (steps.end !== output) throw new Error(`${on} ended at ${steps.end}, not at ${output}`);
        }
        return steps.count / steps.seconds;
      };
      contest.add(name, UNIT, run, { on: 'gdb' });
    }
    return contest.rows({ rounds });
  });
}
