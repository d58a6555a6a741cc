/** Base of what ends a guest program by a decision of the runtime. */
export class MillError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** Wrong use that libmill answers with `panic: <text>` and abort. */
export class Panic extends MillError {}

/** Nobody can ever run again. */
export class Deadlock extends MillError {
  constructor() {
    super('every coroutine waits, and nothing is left that could wake one');
  }
}

/**
 * A body written in TypeScript has thrown (`cause` is what), or does what no body may. This is for whoever wrote it and
 * so leaves the run as an exception, instead of being an end of the guest.
 */
export class BodyError extends Error {
  override readonly name = 'BodyError';
}

/** A coroutine's stack pointer is not in its stack, and no switch has put it there. */
export class StackEscape extends MillError {
  readonly coroutine: number;
  readonly rsp: bigint;

  /** @param low and `high` bound the coroutine's own stack */
  constructor(coroutine: number, rsp: bigint, low: number, high: number) {
    const hex = (address: number | bigint): string => `0x${address.toString(16)}`;
    super(
      `the stack pointer of ${coroutine === 0 ? 'main' : `coroutine ${coroutine}`} is ${hex(rsp)}, outside its stack ` +
        `${hex(low)}-${hex(high)}, and no switch has put it there`,
    );
    this.coroutine = coroutine;
    this.rsp = rsp;
  }
}

/** More processes than a run may have: this ends all of them. */
export class TooManyProcesses extends MillError {
  constructor(how: string) {
    super(`the program has forked too often: there are ${how}; look for a fork whose child forks again`);
  }
}

/** A `syscall` instruction with a number that is none of the doors. */
export class UnknownSystemCall extends MillError {
  constructor(number: number) {
    super(`there is no system call ${number} here: programs reach the outside through libmill and libc functions`);
  }
}

/** A use of a libc function that C leaves undefined, noticed in time. */
export class Misuse extends MillError {
  /** @param freedAt where the guest went on behind the call that freed the block in question, if a guest's call did */
  constructor(
    message: string,
    readonly freedAt?: bigint,
  ) {
    super(message);
  }
}
