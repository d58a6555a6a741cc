/** A moment as people write it, in C's numbers (C11, 7.27.1). */
export interface BrokenDownTime {
  /** 0 to 60. */
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  /** From 1. */
  readonly day: number;
  /** From 0. */
  readonly month: number;
  /** The year itself, not counted from 1900. */
  readonly year: number;
  /** From Sunday, 0. */
  readonly weekday: number;
  /** From 0. */
  readonly yearDay: number;
}

const DAY = 86_400n;
const HOUR = 3600;
const MINUTE = 60;

/** The Gregorian calendar repeats itself after so many days, which are 400 years. */
const DAYS_OF_CYCLE = 146_097;
const YEARS_OF_CYCLE = 400;
/** From the first of March of year 0 to the first of January of 1970. Years that begin in March have the leap day last. */
const DAYS_TO_1970 = 719_468;
const MARCH = 2;

const remainder = (value: number, divisor: number): number => value - Math.floor(value / divisor) * divisor;

/** Days from 1970 on. `month` and `day` need not be in their year and month. */
function daysOf(year: number, month: number, day: number): number {
  const marchMonth = month - MARCH;
  const marchYear = year + Math.floor(marchMonth / 12);
  const cycle = Math.floor(marchYear / YEARS_OF_CYCLE);
  const yearOfCycle = marchYear - cycle * YEARS_OF_CYCLE;
  // The months from March on are 31 30 31 30 31 days long, again and again: 153 in five.
  const dayOfYear = Math.floor((153 * remainder(marchMonth, 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100);
  return cycle * DAYS_OF_CYCLE + yearOfCycle * 365 + leapDays + dayOfYear - DAYS_TO_1970;
}

/** UTC, from seconds since 1970. */
export function breakDown(seconds: bigint): BrokenDownTime {
  const secondOfDay = Number(((seconds % DAY) + DAY) % DAY);
  const days = Number((seconds - BigInt(secondOfDay)) / DAY);
  const fromMarch = days + DAYS_TO_1970;
  const cycle = Math.floor(fromMarch / DAYS_OF_CYCLE);
  const dayOfCycle = fromMarch - cycle * DAYS_OF_CYCLE;
  // Without the leap days so far, years are 365 days long: one in 4 years, none in 100, and the cycle's last.
  const leapDays =
    Math.floor(dayOfCycle / 1460) - Math.floor(dayOfCycle / 36_524) + Math.floor(dayOfCycle / (DAYS_OF_CYCLE - 1));
  const marchYear = cycle * YEARS_OF_CYCLE + Math.floor((dayOfCycle - leapDays) / 365);
  const dayOfYear = days - daysOf(marchYear, MARCH, 1);
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = (marchMonth + MARCH) % 12;
  const year = marchYear + (month < MARCH ? 1 : 0);
  return {
    second: secondOfDay % MINUTE,
    minute: Math.floor(secondOfDay / MINUTE) % 60,
    hour: Math.floor(secondOfDay / HOUR),
    day: days - daysOf(year, month, 1) + 1,
    month,
    year,
    weekday: remainder(days + 4, 7),
    yearDay: days - daysOf(year, 0, 1),
  };
}

/** Seconds since 1970 of a moment in UTC. Its numbers need not be in their range; days of week and year are not used. */
export function secondsOf({ year, month, day, hour, minute, second }: BrokenDownTime): bigint {
  return BigInt(daysOf(year, month, day)) * DAY + BigInt(hour * HOUR + minute * MINUTE + second);
}

/** The week that ISO 8601 has a day in, and the year that week belongs to: weeks begin on Monday, the first has January 4. */
export function isoWeek({ year, weekday, yearDay }: BrokenDownTime): { readonly year: number; readonly week: number } {
  const thursday = yearDay - remainder(weekday - 1, 7) + 3;
  if (thursday < 0) return { year: year - 1, week: Math.floor((thursday + lengthOf(year - 1)) / 7) + 1 };
  if (thursday >= lengthOf(year)) return { year: year + 1, week: 1 };
  return { year, week: Math.floor(thursday / 7) + 1 };
}

const lengthOf = (year: number): number => daysOf(year + 1, 0, 1) - daysOf(year, 0, 1);
