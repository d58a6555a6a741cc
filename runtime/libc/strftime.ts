import { type BrokenDownTime, isoWeek, secondsOf } from './calendar.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
/** Of a name's short form. */
const SHORT = 3;

/** What strftime writes of a moment. */
export interface Moment extends BrokenDownTime {
  /** Negative if it is not known whether summer time is on; %z is empty then. */
  readonly summerTime: number;
  /** Seconds east of UTC. */
  readonly offset: number;
  readonly zone: string;
}

/** A number, and to how many digits it is filled up, with what. */
interface Digits {
  readonly value: number | bigint;
  readonly width: number;
  readonly fill: string;
  /** What is in front of all that; nothing as a rule. */
  readonly before?: string;
}

const two = (value: number): Digits => ({ value, width: 2, fill: '0' });
const plain = (value: number | bigint): Digits => ({ value, width: 1, fill: '0' });
const spaced = (value: number): Digits => ({ value, width: 2, fill: ' ' });

const hourOf12 = (hour: number): number => (hour > 12 ? hour - 12 : hour === 0 ? 12 : hour);
const lastTwo = (year: number): number => ((year % 100) + 100) % 100;
/** Hours and minutes as one decimal number. */
const zoneOffset = (minutes: number): number => Math.floor(minutes / 60) * 100 + (minutes % 60);

/** How many seconds summer time is ahead, by what tm_isdst says: an hour, if it is on. */
export const summerTime = (isOn: number): bigint => (isOn > 0 ? 3600n : 0n);

/** The conversions of C11, 7.27.3.5, and glibc's own, in the C locale: text, digits, or a format of others. */
const CONVERSIONS: Readonly<Record<string, (moment: Moment) => string | Digits | { readonly format: string }>> = {
  a: ({ weekday }) => DAYS[weekday]?.slice(0, SHORT) ?? '?',
  A: ({ weekday }) => DAYS[weekday] ?? '?',
  b: ({ month }) => MONTHS[month]?.slice(0, SHORT) ?? '?',
  B: ({ month }) => MONTHS[month] ?? '?',
  c: () => ({ format: '%a %b %e %H:%M:%S %Y' }),
  C: ({ year }) => plain(Math.floor(year / 100)),
  d: ({ day }) => two(day),
  D: () => ({ format: '%m/%d/%y' }),
  e: ({ day }) => spaced(day),
  F: () => ({ format: '%Y-%m-%d' }),
  g: (moment) => two(lastTwo(isoWeek(moment).year)),
  G: (moment) => plain(isoWeek(moment).year),
  h: () => ({ format: '%b' }),
  H: ({ hour }) => two(hour),
  I: ({ hour }) => two(hourOf12(hour)),
  j: ({ yearDay }) => ({ value: yearDay + 1, width: 3, fill: '0' }),
  k: ({ hour }) => spaced(hour),
  l: ({ hour }) => spaced(hourOf12(hour)),
  m: ({ month }) => two(month + 1),
  M: ({ minute }) => two(minute),
  n: () => '\n',
  p: ({ hour }) => (hour > 11 ? 'PM' : 'AM'),
  P: ({ hour }) => (hour > 11 ? 'pm' : 'am'),
  r: () => ({ format: '%I:%M:%S %p' }),
  R: () => ({ format: '%H:%M' }),
  s: (moment) => plain(secondsOf(moment) - summerTime(moment.summerTime)),
  S: ({ second }) => two(second),
  t: () => '\t',
  T: () => ({ format: '%H:%M:%S' }),
  u: ({ weekday }) => plain(((weekday + 6) % 7) + 1),
  U: ({ yearDay, weekday }) => two(Math.floor((yearDay - weekday + 7) / 7)),
  V: (moment) => two(isoWeek(moment).week),
  w: ({ weekday }) => plain(weekday),
  W: ({ yearDay, weekday }) => two(Math.floor((yearDay - ((weekday + 6) % 7) + 7) / 7)),
  x: () => ({ format: '%m/%d/%y' }),
  X: () => ({ format: '%H:%M:%S' }),
  y: ({ year }) => two(lastTwo(year)),
  Y: ({ year }) => plain(year),
  z: ({ summerTime, offset }) => {
    if (summerTime < 0) return '';
    return {
      value: zoneOffset(Math.floor(Math.abs(offset) / 60)),
      width: 4,
      fill: '0',
      before: offset < 0 ? '-' : '+',
    };
  },
  Z: ({ zone }) => zone,
  '%': () => '%',
};

/** glibc's flags for how digits are filled up: not at all, with spaces, with zeros. */
const FILL: Readonly<Record<string, string>> = { '-': '', _: ' ', '0': '0' };

/** A flag, a modifier with the conversions that may have it, and the conversion. */
const CONVERSION = /%([-_0^]?)(?:E(?=[cCxXyY])|O(?=[deHImMSuUVwWy]))?([a-zA-Z%])/g;

/**
 * What strftime writes, however long it is. The modifiers E and O change nothing in the C locale; of glibc's flags `-`,
 * `_`, `0` and `^` are known, widths are not. What is no conversion stays as it is.
 */
export function formatTime(format: string, moment: Moment): string {
  return format.replace(CONVERSION, (whole, flag: string, conversion: string) => {
    const result = CONVERSIONS[conversion]?.(moment);
    if (result === undefined) return whole;
    if (typeof result !== 'string' && 'value' in result) return digits(result, FILL[flag] ?? result.fill);
    const text = typeof result === 'string' ? result : formatTime(result.format, moment);
    return flag === '^' ? text.replace(/[a-z]/g, (letter) => letter.toUpperCase()) : text;
  });
}

function digits({ value, width, before = '' }: Digits, fill: string): string {
  const text = String(value < 0 ? -value : value);
  const sign = value < 0 ? '-' : '';
  if (fill === ' ') return before + (sign + text).padStart(width);
  return before + sign + (fill === '' ? text : text.padStart(width - sign.length, fill));
}
