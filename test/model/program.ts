import fc from 'fast-check';

/** How a channel is named wrongly: NULL, or with another type than it was made of. */
export type Slip = 'null' | 'type';

/** A use of a channel by its number; slips are what libmill panics at. */
export interface Use {
  readonly channel: number;
  readonly slip?: Slip;
}

/** A time in ms behind another one, or one that never comes. */
export type Deadline = { readonly from: 'start' | 'now'; readonly ms: number } | { readonly from: 'never' };

/** A clause of a choose statement. */
export type ClauseOf =
  | ({ readonly kind: 'in' } & Use)
  | ({ readonly kind: 'out'; readonly value: number } & Use)
  | { readonly kind: 'deadline'; readonly deadline: Deadline }
  | { readonly kind: 'otherwise' };

/** One operation in a coroutine's body. */
export type Step =
  | { readonly kind: 'go'; readonly body: number }
  /** Loops: so many yields or calls of now(). */
  | { readonly kind: 'yield' | 'now'; readonly times: number }
  | { readonly kind: 'sleep'; readonly deadline: Deadline }
  | ({ readonly kind: 'send' | 'done'; readonly value: number } & Use)
  | ({ readonly kind: 'receive' | 'close' | 'dup' } & Use)
  | { readonly kind: 'choose'; readonly clauses: readonly ClauseOf[] };

/** A channel as main makes it. */
export interface ChannelOf {
  readonly capacity: number;
  /** Bytes of an element, each of which holds the value. */
  readonly size: number;
}

/** A program as data: body 0 is main's, every other one is started at most once. */
export interface Program {
  readonly channels: readonly ChannelOf[];
  readonly bodies: readonly (readonly Step[])[];
  /** Of the random numbers that the machine chooses with. */
  readonly seed: number;
}

const MAX_CHANNELS = 4;
const MAX_COROUTINES = 8;
/** Far behind everything that a program waits for. */
const LINGER: Step = { kind: 'sleep', deadline: { from: 'start', ms: 5000 } };
const FOR_EVER: Step = { kind: 'sleep', deadline: { from: 'never' } };

const slip = fc.oneof(
  { weight: 200, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constantFrom<Slip>('null', 'type') },
);
const use = fc
  .record({ channel: fc.nat(MAX_CHANNELS - 1), slip })
  .map(({ channel, slip }): Use => (slip === undefined ? { channel } : { channel, slip }));

// Few different times, so that many timers fall due together.
const deadline = fc.oneof(
  { weight: 12, arbitrary: fc.record({ from: fc.constant('now' as const), ms: fc.nat(4) }) },
  { weight: 8, arbitrary: fc.record({ from: fc.constant('start' as const), ms: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.constant<Deadline>({ from: 'never' }) },
);

// Values are given out in numberSends.
const clause = fc.oneof(
  { weight: 6, arbitrary: use.map((use): ClauseOf => ({ kind: 'in', ...use })) },
  { weight: 6, arbitrary: use.map((use): ClauseOf => ({ kind: 'out', value: 0, ...use })) },
);
const last = fc.oneof(
  { weight: 30, arbitrary: fc.constant<ClauseOf[]>([]) },
  { weight: 30, arbitrary: deadline.map((deadline): ClauseOf[] => [{ kind: 'deadline', deadline }]) },
  { weight: 15, arbitrary: fc.constant<ClauseOf[]>([{ kind: 'otherwise' }]) },
  // In any order, and one too many
  {
    weight: 1,
    arbitrary: deadline.map((deadline): ClauseOf[] => [{ kind: 'otherwise' }, { kind: 'deadline', deadline }]),
  },
);
const choose = fc
  .record({ clauses: fc.array(clause, { maxLength: 4 }), last, at: fc.nat(4) })
  .map(({ clauses, last, at }): Step => ({ kind: 'choose', clauses: clauses.toSpliced(at, 0, ...last) }));

const times = (most: number, often: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: often, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: most }) });

const step = fc.oneof(
  { weight: 44, arbitrary: use.map((use): Step => ({ kind: 'send', value: 0, ...use })) },
  { weight: 44, arbitrary: use.map((use): Step => ({ kind: 'receive', ...use })) },
  { weight: 44, arbitrary: choose },
  { weight: 30, arbitrary: times(130, 6).map((times): Step => ({ kind: 'yield', times })) },
  { weight: 24, arbitrary: deadline.map((deadline): Step => ({ kind: 'sleep', deadline })) },
  { weight: 3, arbitrary: times(1300, 2).map((times): Step => ({ kind: 'now', times })) },
  { weight: 3, arbitrary: use.map((use): Step => ({ kind: 'done', value: 0, ...use })) },
  { weight: 3, arbitrary: use.map((use): Step => ({ kind: 'close', ...use })) },
  { weight: 3, arbitrary: use.map((use): Step => ({ kind: 'dup', ...use })) },
);

const channel = fc.record({
  capacity: fc.nat(3),
  // No value at all, one in a register, and such as are too long for a valbuf (128 bytes)
  size: fc.constantFrom(8, 4, 1, 2, 0, 128, 129, 300),
});

/** One of the coroutines that others start: by whom and where, both modulo what there is. */
const child = fc.record({ by: fc.nat(MAX_COROUTINES), at: fc.nat(3) });

const steps = fc.array(fc.record({ body: fc.nat(2 * MAX_COROUTINES), step }), { maxLength: 32, size: 'max' });

/** How main makes up for what the others miss, or they would soon all be waiting at the wrong ends. */
const help = fc
  .record({ channel: fc.nat(MAX_CHANNELS - 1), other: fc.nat(MAX_CHANNELS - 1), ms: fc.nat(2) })
  .map(({ channel, other, ms }): Step => {
    const until: ClauseOf = { kind: 'deadline', deadline: { from: 'now', ms } };
    return { kind: 'choose', clauses: [{ kind: 'in', channel }, { kind: 'out', channel: other, value: 0 }, until] };
  });

const helps = fc.array(help, { maxLength: 12, size: 'max' });

/** Children that begin by receiving from one channel, and what main does then. */
const crowd = fc.record({
  channel: fc.nat(MAX_CHANNELS - 1),
  size: fc.integer({ min: 2, max: MAX_COROUTINES - 1 }),
  end: fc.constantFrom('send' as const, 'done' as const),
});
const crowds = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: crowd });

const tail = fc.oneof(
  { weight: 7, arbitrary: fc.constant<Step[]>([LINGER]) },
  { weight: 2, arbitrary: fc.constant<Step[]>([FOR_EVER]) },
  { weight: 1, arbitrary: fc.constant<Step[]>([]) },
);

/**
 * Programs of up to 8 coroutines, 4 channels and 60 operations: 32 + 12 of help + 8 of a crowd + 7 go + 1 at the end.
 */
export const programs: fc.Arbitrary<Program> = fc
  .record({
    channels: fc.array(channel, { minLength: 1, maxLength: MAX_CHANNELS, size: 'max' }),
    children: fc.array(child, { maxLength: MAX_COROUTINES - 1, size: 'max' }),
    steps,
    helps,
    crowd: crowds,
    tail,
    seed: fc.nat(),
  })
  .map(({ channels, children, steps, helps, crowd, tail, seed }) => {
    const bodies: Step[][] = [[], ...children.map(() => [])];
    const within = (step: Step): Step => withinChannels(step, channels.length);
    for (const { body, step } of steps) {
      const number = body === 0 || children.length === 0 ? 0 : 1 + (body % children.length);
      bodies[number]?.push(within(step));
    }
    if (crowd !== undefined) {
      const { channel, size, end } = crowd;
      for (const body of bodies.slice(1, size + 1)) body.unshift(within({ kind: 'receive', channel }));
      bodies[0]?.push(within({ kind: end, channel, value: 0 }));
    }
    bodies[0]?.push(...helps.map(within), ...tail);
    // By one with a smaller number: so no circle of coroutines is waiting to be started by each other.
    for (const [index, { by, at }] of children.entries()) {
      const parent = bodies[by % (index + 1)] ?? [];
      parent.splice(at % (parent.length + 1), 0, { kind: 'go', body: index + 1 });
    }
    return { channels, bodies: numberSends(bodies), seed };
  });

function withinChannels(step: Step, count: number): Step {
  if (step.kind === 'choose') {
    return {
      ...step,
      clauses: step.clauses.map((clause) =>
        'channel' in clause ? { ...clause, channel: clause.channel % count } : clause,
      ),
    };
  }
  return 'channel' in step ? { ...step, channel: step.channel % count } : step;
}

/** Gives each send a value of its own, as far as a byte goes, so that no two can be taken for each other. */
function numberSends(bodies: readonly (readonly Step[])[]): Step[][] {
  let sends = 0;
  const next = (): number => (sends++ % 255) + 1;
  return bodies.map((steps) =>
    steps.map((step): Step => {
      if (step.kind === 'send' || step.kind === 'done') return { ...step, value: next() };
      if (step.kind !== 'choose') return step;
      const clauses = step.clauses.map((clause) => (clause.kind === 'out' ? { ...clause, value: next() } : clause));
      return { ...step, clauses };
    }),
  );
}

/** A program as text, a line for each coroutine. */
export function describeProgram({ channels, bodies, seed }: Program): string {
  return [
    ...channels.map(({ capacity, size }, index) => `channel ${index}: capacity ${capacity}, ${size} bytes`),
    ...bodies.map((steps, index) => `coroutine ${index}: ${steps.map(describeStep).join('; ') || 'nothing'}`),
    `seed of the machine: ${seed}`,
  ].join('\n');
}

/** A step as text. */
export function describeStep(step: Step | ClauseOf): string {
  switch (step.kind) {
    case 'go':
      return `go ${step.body}`;
    case 'yield':
    case 'now':
      return step.times === 1 ? step.kind : `${step.kind} x ${step.times}`;
    case 'sleep':
      return `sleep until ${describeDeadline(step.deadline)}`;
    case 'deadline':
      return `deadline ${describeDeadline(step.deadline)}`;
    case 'otherwise':
      return step.kind;
    case 'choose':
      return `choose {${step.clauses.map(describeStep).join(', ')}}`;
    default: {
      const slip = step.slip === undefined ? '' : ` (wrong: ${step.slip})`;
      return `${step.kind}${'value' in step ? ` ${step.value}` : ''} on ${step.channel}${slip}`;
    }
  }
}

function describeDeadline(deadline: Deadline): string {
  return deadline.from === 'never' ? 'never' : `${deadline.from} + ${deadline.ms}`;
}
