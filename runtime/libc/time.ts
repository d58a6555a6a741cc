import { type BrokenDownTime, breakDown, secondsOf } from './calendar.js';
import type { Call } from './call.js';
import type { Host, HostFunctions } from './host.js';
import { formatTime, type Moment, summerTime } from './strftime.js';
import { ascii, characters, INT_MAX, stringAt } from './text.js';

const EINVAL = 22;
const EOVERFLOW = 75;
const EOPNOTSUPP = 95;
/** clock_nanosleep's flag for a time of the clock, and not from now on. */
const TIMER_ABSTIME = 1;

/** glibc's struct tm: nine ints, the offset from UTC in seconds, and the zone's name. */
const TM = { second: 0, minute: 4, hour: 8, day: 12, month: 16, year: 20, weekday: 24, yearDay: 28 } as const;
const SUMMER_TIME = 32;
const OFFSET = 40;
const ZONE = 48;
/** The year that tm_year counts from. */
const FIRST_YEAR = 1900;
const INT_MIN = -(2 ** 31);

/** Linux's numbers of clocks: of the calendar, of time that never jumps, and of the processor's. */
const CALENDARS = new Set([0, 5, 8, 11]);
const MONOTONIC = new Set([1, 4, 6, 7, 9]);
const PROCESSOR = new Set([2, 3]);
/** The processor's clock of the one thread: who sleeps cannot wait for that. */
const THREAD = 3;
/** Clocks on which one can sleep. */
const FOR_SLEEP = new Set([0, 1, 7, 11]);

const PER_SECOND = 1_000_000_000n;
const PER_MS = 1_000_000n;
const PER_US = 1000n;
/** In ms: up to here times are exact. */
const LAST_TIME = BigInt(Number.MAX_SAFE_INTEGER);

/** A time in seconds and what is left of one. */
const split = (ns: bigint): readonly [bigint, bigint] => [ns / PER_SECOND, ns % PER_SECOND];

/**
 * time.h's functions, on the machine's clock. Virtual time is the calendar's too, and begins in 1970; the local time is
 * UTC. The processor's time is counted in instructions, 1 ns each, so that it passes while a program computes and not
 * while it sleeps.
 */
export function timeFunctions({ memory, symbols, clock, fail }: Host): HostFunctions {
  /** In ns, as all of these. Asking counts as a call of now(), so that a program that asks until time has passed ends. */
  const calendar = (): bigint => BigInt(clock.calendar()) * PER_MS;
  const monotonic = (): bigint => BigInt(clock.now()) * PER_MS;
  const processor = (call: Call): bigint => BigInt(call.cpu.moment);
  const read = (call: Call, id: number): bigint | undefined => {
    if (CALENDARS.has(id)) return calendar();
    if (MONOTONIC.has(id)) return monotonic();
    return PROCESSOR.has(id) ? processor(call) : undefined;
  };
  const putPair = (at: number, [first, second]: readonly [bigint, bigint]): void => {
    memory.setU64(at, first);
    memory.setU64(at + 8, second);
  };
  const failed = <Result>(errno: number, result: Result): Result => {
    fail(errno);
    return result;
  };

  /** @returns the address, or NULL if the year is none that fits */
  const putTm = (to: number, time: BrokenDownTime, zone: string): number => {
    const year = time.year - FIRST_YEAR;
    if (year > INT_MAX || year < INT_MIN) return failed(EOVERFLOW, 0);
    for (const [field, offset] of Object.entries(TM)) memory.setU32(to + offset, time[field as keyof typeof TM]);
    memory.setU32(to + TM.year, year);
    memory.setU32(to + SUMMER_TIME, 0);
    memory.setU64(to + OFFSET, 0n);
    memory.setPointer(to + ZONE, symbols(zone));
    return to;
  };
  const tm = (at: number): BrokenDownTime => {
    const field = (offset: number): number => memory.i32(at + offset);
    return {
      second: field(TM.second),
      minute: field(TM.minute),
      hour: field(TM.hour),
      day: field(TM.day),
      month: field(TM.month),
      year: field(TM.year) + FIRST_YEAR,
      weekday: field(TM.weekday),
      yearDay: field(TM.yearDay),
    };
  };
  const moment = (at: number): Moment => {
    const zone = memory.pointer(at + ZONE);
    return {
      ...tm(at),
      summerTime: memory.i32(at + SUMMER_TIME),
      offset: Number(BigInt.asIntN(64, memory.u64(at + OFFSET))),
      zone: zone === 0 ? '' : characters(stringAt(memory, zone)),
    };
  };
  const brokenDown = (at: number): BrokenDownTime => breakDown(BigInt.asIntN(64, memory.u64(at)));
  const convert = (from: number, to: number, zone: string): number => putTm(to, brokenDown(from), zone);
  /** Back from a struct tm, which is put in order. `ahead` is how many seconds its clock is ahead of UTC. */
  const make = (at: number, zone: string, ahead: bigint): bigint => {
    const seconds = secondsOf(tm(at)) - ahead;
    return putTm(at, breakDown(seconds), zone) === 0 ? -1n : seconds;
  };

  /** Writes what asctime has to; NULL if the year is none that fits. */
  const putText = (time: BrokenDownTime, to: number): number => {
    if (to === 0) return 0;
    if (time.year > INT_MAX) return failed(EOVERFLOW, 0);
    const name = (format: string): string => {
      const text = formatTime(format, { ...time, summerTime: 0, offset: 0, zone: '' });
      return text === '?' ? '???' : text;
    };
    const two = (value: number): string => `${value < 0 ? '-' : ''}${String(Math.abs(value)).padStart(2, '0')}`;
    const text =
      `${name('%a')} ${name('%b')}${String(time.day).padStart(3)} ` +
      `${two(time.hour)}:${two(time.minute)}:${two(time.second)} ${time.year}\n\0`;
    memory.write(to, new TextEncoder().encode(text));
    return to;
  };

  /** The time in ms, of the machine's clock, at which what clock_nanosleep was given is over; or -errno. */
  const wakeTime = (call: Call): number | bigint => {
    const [id, at] = [call.int(0), call.pointer(2)];
    if (read(call, id) === undefined || id === THREAD) return -EINVAL;
    if (!FOR_SLEEP.has(id)) return -EOPNOTSUPP;
    const [seconds, ns] = [memory.u64(at), memory.u64(at + 8)].map((word) => BigInt.asIntN(64, word));
    if (seconds < 0n || ns < 0n || ns >= PER_SECOND) return -EINVAL;
    const time = seconds * PER_SECOND + ns;
    const absolute = (call.int(1) & TIMER_ABSTIME) !== 0;
    const ahead = absolute ? time - (CALENDARS.has(id) ? calendar() : monotonic()) : time;
    const wake = BigInt(clock.time()) + (ahead > 0n ? (ahead + PER_MS - 1n) / PER_MS : 0n);
    return wake < LAST_TIME ? wake : LAST_TIME;
  };

  return {
    __wake_time: wakeTime,
    time: (call) => {
      const seconds = calendar() / PER_SECOND;
      if (call.pointer(0) !== 0) memory.setU64(call.pointer(0), seconds);
      return seconds;
    },
    clock: (call) => processor(call) / PER_US,
    gettimeofday: (call) => {
      const [seconds, ns] = split(calendar());
      putPair(call.pointer(0), [seconds, ns / PER_US]);
      // The time zone's two ints: none.
      if (call.pointer(1) !== 0) memory.setU64(call.pointer(1), 0n);
      return 0;
    },
    clock_gettime: (call) => {
      const time = read(call, call.int(0));
      if (time === undefined) return failed(EINVAL, -1);
      putPair(call.pointer(1), split(time));
      return 0;
    },
    clock_getres: (call) => {
      const id = call.int(0);
      if (read(call, id) === undefined) return failed(EINVAL, -1);
      if (call.pointer(1) !== 0) putPair(call.pointer(1), split(PROCESSOR.has(id) ? 1n : PER_MS));
      return 0;
    },

    gmtime: (call) => convert(call.pointer(0), symbols('time_tm'), 'gmt'),
    gmtime_r: (call) => convert(call.pointer(0), call.pointer(1), 'gmt'),
    localtime: (call) => convert(call.pointer(0), symbols('time_tm'), 'utc'),
    localtime_r: (call) => convert(call.pointer(0), call.pointer(1), 'utc'),
    // As in glibc, what claims to be in summer time, which there is not, is an hour ahead.
    mktime: (call) => make(call.pointer(0), 'utc', summerTime(memory.i32(call.pointer(0) + SUMMER_TIME))),
    timegm: (call) => make(call.pointer(0), 'gmt', 0n),

    asctime: (call) => putText(tm(call.pointer(0)), symbols('time_text')),
    asctime_r: (call) => putText(tm(call.pointer(0)), call.pointer(1)),
    ctime: (call) => putText(brokenDown(call.pointer(0)), symbols('time_text')),
    ctime_r: (call) => putText(brokenDown(call.pointer(0)), call.pointer(1)),
    strftime: (call) => {
      const text = formatTime(characters(stringAt(memory, call.pointer(2))), moment(call.pointer(3)));
      const bytes = ascii(`${text}\0`);
      if (bytes.length > call.pointer(1)) return 0;
      memory.write(call.pointer(0), bytes);
      return bytes.length - 1;
    },
    tzset: () => {},
  };
}
