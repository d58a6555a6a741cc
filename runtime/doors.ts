import type { Cpu } from '../emu/cpu.js';
import { GENERAL_INDEX } from '../emu/registers.js';
import type { Bodies } from './bodies.js';
import type { Coroutines } from './cr.js';
import type { Census } from './debug.js';
import { StackEscape, UnknownSystemCall } from './errors.js';
import type { Random } from './random.js';
import type { Symbols } from './symbols.js';

const { rax: RAX, rdi: RDI, rsi: RSI, rdx: RDX, rsp: RSP } = GENERAL_INDEX;
const EBADF = 9;
/** (size_t) -1 as rax takes it is out of a number's reach; the low half is all that callers of `write` look at. */
const MINUS_ONE = 0xffffffff;

/** What the doors lead to. */
export interface Behind {
  readonly cpu: Cpu;
  readonly symbols: Symbols;
  readonly coroutines: Coroutines;
  readonly census: Census;
  readonly random: Random;
  readonly bodies: Bodies | undefined;
  /** The guest has written to standard output (1) or standard error (2). */
  output(stream: 1 | 2, bytes: Uint8Array): void;
  /** The guest has ended: by exit, with its status, or by abort. */
  ended(status: number | 'aborted'): void;
  /** A coroutine was saved (0: none), and another goes on (0: none, the saved one's child does). Both are mill_cr. */
  switched(saved: number, restored: number): void;
}

/**
 * All hypercalls. A door reads its System V arguments and writes rax, and no other register.
 * @returns the handler for `Cpu.onHypercall`
 */
export function openDoors(behind: Behind): () => void {
  const { cpu, symbols, coroutines, census } = behind;
  const { memory } = cpu;

  /** What every blocking operation ends in: the next coroutine's ctx is to be restored. */
  function schedule(saved: number): void {
    const next = coroutines.next();
    cpu.setRax(coroutines.ctx(next));
    behind.switched(saved, next);
  }

  const doors: Readonly<Record<string, () => void>> = {
    exit: () => behind.ended(cpu.low(RDI) & 0xff),
    abort: () => behind.ended('aborted'),

    write: () => {
      const stream = cpu.low(RDI);
      const size = cpu.pointer(RDX);
      if (stream !== 1 && stream !== 2) {
        memory.setU32(symbols('errno'), EBADF);
        cpu.setRax(MINUS_ONE);
        return;
      }
      behind.output(stream, memory.read(cpu.pointer(RSI), size));
      cpu.setRax(size);
    },

    random: () => cpu.setRax(behind.random.next()),

    body: () => {
      const result = cpu.read('rsi');
      cpu.setRax(behind.bodies?.next(cpu.low(RDI), result, cpu.pointer(RDX)) ?? 0);
    },

    prologue: () => {
      const parent = coroutines.running;
      const child = coroutines.prologue(cpu.pointer(RDI));
      cpu.setRax(coroutines.stackTop(child));
      behind.switched(parent, 0);
    },

    goprepare: () => coroutines.goprepare(cpu.low(RDI) | 0, cpu.pointer(RSI), cpu.pointer(RDX)),

    epilogue: () => {
      coroutines.epilogue();
      schedule(0);
    },

    yield: () => {
      const running = coroutines.running;
      coroutines.yield(cpu.pointer(RDI));
      schedule(running);
    },
  };

  const byNumber: ((() => void) | undefined)[] = [];
  for (const [name, open] of Object.entries(doors)) byNumber[symbols(`door_${name}`)] = open;

  return () => {
    const number = cpu.low(RAX);
    const open = byNumber[number];
    if (open === undefined) throw new UnknownSystemCall(number);
    const running = coroutines.running;
    const rsp = cpu.pointer(RSP);
    const { low, high } = coroutines.stackOf(running);
    if (rsp < low || rsp > high) throw new StackEscape(census.id(running), rsp, low, high);
    open();
  };
}
