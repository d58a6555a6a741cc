import type { Row } from './contest.js';
import { counted } from './counted.js';
import { growth } from './growth.js';
import { history } from './history.js';
import type { Effort } from './measure.js';
import { memory } from './memory.js';
import { page } from './page.js';
import { startUp } from './startup.js';
import { stepper } from './stepper.js';
import { stepping } from './stepping.js';
import { switches } from './switches.js';
import { type Target, targets } from './targets.js';
import { tracing } from './tracing.js';
import { versions } from './versions.js';

/** Everything that a bench has found: what --json prints. */
export interface Result {
  readonly versions: Readonly<Record<string, string>>;
  readonly effort: Effort;
  readonly parts: Readonly<Record<string, readonly Row[]>>;
  readonly targets: readonly Target[];
}

/** What there is to measure, by name. */
export const PARTS: Readonly<Record<string, (effort: Effort) => Promise<Row[]>>> = {
  switches,
  'per switch': counted,
  stepping,
  tracing,
  'start-up': startUp,
  memory,
  growth,
  history,
  stepper,
  page,
};

/** @param names of {@link PARTS}; @param tell is called before each */
export async function measure(names: readonly string[], effort: Effort, tell: (name: string) => void): Promise<Result> {
  const parts: Record<string, Row[]> = {};
  for (const name of names) {
    tell(name);
    parts[name] = await PARTS[name](effort);
  }
  return { versions: await versions(), effort, parts, targets: targets(parts) };
}
