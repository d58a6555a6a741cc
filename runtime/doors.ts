import type { Cpu } from '../emu/cpu.js';
import { GENERAL_INDEX } from '../emu/registers.js';
import type { Bodies } from './bodies.js';
import { StackEscape, UnknownSystemCall } from './errors.js';
import type { ChannelOperation } from './events.js';
import { goredump } from './goredump.js';
import { Call } from './libc/call.js';
import type { Host } from './libc/host.js';
import { libcFunctions } from './libc/libc.js';
import { flushStreams } from './libc/stream.js';
import { systemCallName } from './linux.js';
import type { Mill } from './mill.js';
import type { Symbols } from './symbols.js';
import { Trace } from './trace.js';

const { rax: RAX, rcx: RCX, rdi: RDI, rsi: RSI, rdx: RDX, rsp: RSP, r8: R8, r9: R9 } = GENERAL_INDEX;
const EBADF = 9;
const ENOSYS = 38;
/** Linux's system calls that are here, and where their numbers end. */
const LINUX = { write: 1, exit: 60, exit_group: 231 } as const;
const LINUX_END = 512;
/** No object is larger, and a size_t above this is a negative number by mistake. */
const SIZE_LIMIT = 2 ** 31;

/** What the names of their numbers begin with in asm/doors.inc. */
const DOOR = 'door_';

/** What the doors lead to besides libmill. */
export interface Outside {
  readonly bodies: Bodies | undefined;
  /** The guest has written to standard output (1) or standard error (2). */
  output(stream: 1 | 2, bytes: Uint8Array): void;
  /** The guest has ended: by exit, with its status, or by abort. */
  ended(status: number | 'aborted'): void;
  /** A coroutine was saved (0: none), and another goes on (0: none, the saved one's child does). Both are mill_cr. */
  switched(saved: number, restored: number): void;
  /** The running coroutine does something with a channel. */
  channel(kind: ChannelOperation['kind'], channel: number): void;
  /** The guest asks for a child. @returns the child's id, for the parent */
  fork(): number;
  /** The guest has made a system call of Linux's that there is not: it gets ENOSYS. Once for each. */
  refused(name: string): void;
  /** Nobody goes on before this time of the real clock, in ms: the door is to be opened again then. */
  waits(until: number): void;
}

/**
 * All hypercalls. A door reads its System V arguments and writes rax, and no other register.
 * @returns the handler for `Cpu.onHypercall`
 */
export function openDoors(cpu: Cpu, symbols: Symbols, mill: Mill, outside: Outside): () => void {
  const { coroutines, census, channels, channelCensus, choose, clock, poller, random } = mill;
  const { memory } = cpu;
  const idleDoor = symbols('door_idle');
  const sleepDoor = symbols('door_sleep');
  const write = (stream: 1 | 2, text: string): void => outside.output(stream, new TextEncoder().encode(text));
  const trace = new Trace(memory, symbols, clock, (text) => write(2, text));

  const say = (current: number, text: string): void => {
    if (trace.on) trace.say(census.id(coroutines.running), text, current);
  };
  const name = (channel: number): string => {
    channels.check(channel);
    return `<${channelCensus.id(channel)}>`;
  };
  /** A time in ms: those beyond 2^53 are as good as that, and as numbers exact. */
  const signed = (index: number): number =>
    Math.min(Number(BigInt.asIntN(64, cpu.general64(index))), Number.MAX_SAFE_INTEGER);

  /** Nothing goes on before that time in ms; by then `door` is opened again, with the same arguments. */
  const retry = (door: number, until: number): void => {
    outside.waits(until);
    cpu.retryHypercall(door);
  };

  /** What every blocking operation ends in: the next coroutine's ctx is to be restored. */
  function schedule(saved: number): void {
    const next = coroutines.next(poller);
    if (next === 0) {
      retry(idleDoor, poller.until ?? 0);
      return;
    }
    cpu.setRax(coroutines.ctx(next));
    outside.switched(saved, next);
  }

  /** The stub's struct mill_clause, above the return address of its call of mill_suspend. */
  const clauseOfStub = (): number => cpu.pointer(RSP) + 8;

  const host: Host = {
    memory,
    symbols,
    heap: mill.heap,
    clock,
    random,
    processes: mill.processes,
    output: outside.output,
    fail: (errno) => memory.setU32(symbols('errno'), errno),
  };

  const doors: Record<string, () => void> = {
    exit: () => {
      flushStreams(host);
      mill.heap.check();
      outside.ended(cpu.low(RDI) & 0xff);
    },
    fork: () => cpu.setRax(outside.fork()),
    postfork: () => mill.postfork(),
    _exit: () => outside.ended(cpu.low(RDI) & 0xff),
    abort: () => outside.ended('aborted'),

    body: () => {
      const result = cpu.general64(RSI);
      cpu.setRax(outside.bodies?.next(cpu.low(RDI), result, cpu.pointer(RDX)) ?? 0);
    },

    prologue: () => {
      const created = cpu.pointer(RDI);
      const parent = coroutines.running;
      const child = coroutines.prologue(created);
      if (trace.on) trace.say(census.id(parent), `{${census.id(child)}}=go()`, created);
      cpu.setRax(coroutines.stackTop(child));
      outside.switched(parent, 0);
    },

    goprepare: () => coroutines.goprepare(cpu.low(RDI) | 0, cpu.pointer(RSI), cpu.pointer(RDX)),

    epilogue: () => {
      say(0, 'go() done');
      coroutines.epilogue();
      schedule(0);
    },

    yield: () => {
      const current = cpu.pointer(RDI);
      const running = coroutines.running;
      say(current, 'yield()');
      coroutines.yield(current);
      schedule(running);
    },

    now: () => cpu.setRax(clock.now()),

    msleep: () => {
      const running = coroutines.running;
      const current = cpu.pointer(RSI);
      say(current, 'msleep()');
      coroutines.setWaiting(running, 'MSLEEP', current);
      mill.msleep(signed(RDI));
      schedule(running);
    },

    idle: () => schedule(coroutines.running),

    sleep: () => {
      const until = signed(RDI);
      clock.jump(until);
      if (clock.time() < until) retry(sleepDoor, until);
    },

    chmake: () => {
      const [size, capacity] = [cpu.pointer(RDI), cpu.pointer(RSI)];
      const created = cpu.pointer(RDX);
      const fits = size < SIZE_LIMIT && capacity < SIZE_LIMIT && size * (capacity + 1) < SIZE_LIMIT;
      const channel = fits ? channels.make(size, capacity, created) : 0;
      if (channel !== 0) {
        say(created, `${name(channel)}=chmake(${capacity})`);
        outside.channel('chmake', channel);
      }
      cpu.setRax(channel);
    },

    chdup: () => {
      const channel = cpu.pointer(RDI);
      say(cpu.pointer(RSI), `chdup(${name(channel)})`);
      cpu.setRax(channels.dup(channel));
      outside.channel('chdup', channel);
    },

    chclose: () => {
      const channel = cpu.pointer(RDI);
      say(cpu.pointer(RSI), `chclose(${name(channel)})`);
      outside.channel('chclose', channel);
      channels.close(channel);
    },

    chdone: () => {
      const channel = cpu.pointer(RDI);
      const size = cpu.pointer(RDX);
      say(cpu.pointer(RCX), `chdone(${name(channel)})`);
      outside.channel('chdone', channel);
      choose.done(channel, cpu.pointer(RSI), size);
    },

    choose_init: () => {
      const current = cpu.pointer(RDI);
      say(current, 'choose()');
      coroutines.setWaiting(coroutines.running, 'CHOOSE', current);
      choose.init();
    },

    choose_in: () => {
      const channel = cpu.pointer(RSI);
      choose.in(cpu.pointer(RDI), channel, cpu.pointer(RDX), cpu.low(RCX));
      outside.channel('in', channel);
    },
    choose_out: () => {
      const channel = cpu.pointer(RSI);
      choose.out(cpu.pointer(RDI), channel, cpu.pointer(RDX), cpu.pointer(RCX), cpu.low(R8));
      outside.channel('out', channel);
    },
    choose_deadline: () => choose.deadline(signed(RDI)),
    choose_otherwise: () => choose.otherwise(),
    choose_val: () => cpu.setRax(coroutines.valbuf(coroutines.running, cpu.pointer(RDI))),

    choose_wait: () => {
      const running = coroutines.running;
      choose.wait();
      schedule(running);
    },

    chs: () => {
      const running = coroutines.running;
      const channel = cpu.pointer(RDI);
      const current = cpu.pointer(R9);
      say(current, `chs(${name(channel)})`);
      choose.init();
      coroutines.setWaiting(running, 'CHS', current);
      choose.out(clauseOfStub(), channel, cpu.pointer(RSI), cpu.pointer(R8), 0);
      outside.channel('chs', channel);
      choose.wait();
      schedule(running);
    },

    chr: () => {
      const running = coroutines.running;
      const channel = cpu.pointer(RDI);
      const current = cpu.pointer(R8);
      say(current, `chr(${name(channel)})`);
      choose.init();
      coroutines.setWaiting(running, 'CHR', current);
      choose.in(clauseOfStub(), channel, cpu.pointer(RSI), 0);
      outside.channel('chr', channel);
      choose.wait();
      schedule(running);
    },

    goredump: () => write(2, goredump(memory, mill)),
    gotrace: () => {
      trace.level = cpu.low(RDI) | 0;
    },
  };

  const base = symbols('door_exit');
  const byNumber: ((() => void) | undefined)[] = [];
  const call = new Call(cpu);
  for (const [name, callee] of Object.entries(libcFunctions(host))) {
    doors[name] = () => {
      const result = callee(call);
      if (result !== undefined) cpu.setRax(result);
    };
  }
  for (const [door, open] of Object.entries(doors)) byNumber[symbols(`${DOOR}${door}`) - base] = open;

  /** Linux's own numbers, which archives of other libcs bring. A failure is a negative errno, as Linux has it. */
  function linux(number: number): void {
    if (number >= LINUX_END) throw new UnknownSystemCall(number);
    if (number === LINUX.write) {
      const stream = cpu.low(RDI);
      const size = cpu.pointer(RDX);
      const open = stream === 1 || stream === 2;
      if (open) outside.output(stream, memory.read(cpu.pointer(RSI), size));
      cpu.setRax(open ? size : -EBADF);
      return;
    }
    if (number === LINUX.exit || number === LINUX.exit_group) {
      outside.ended(cpu.low(RDI) & 0xff);
      return;
    }
    cpu.setRax(-ENOSYS);
    const byte = symbols('system_calls_refused') + (number >> 3);
    const seen = memory.u8(byte);
    if ((seen & (1 << (number & 7))) !== 0) return;
    memory.setU8(byte, seen | (1 << (number & 7)));
    outside.refused(systemCallName(number));
  }

  return () => {
    const number = cpu.low(RAX);
    const open = byNumber[number - base];
    if (open === undefined) {
      linux(number);
      return;
    }
    const running = coroutines.running;
    if (running !== 0) {
      const rsp = cpu.pointer(RSP);
      const { low, high } = coroutines.stackOf(running);
      if (rsp < low || rsp > high) throw new StackEscape(census.id(running), cpu.read('rsp'), low, high);
    }
    open();
  };
}
