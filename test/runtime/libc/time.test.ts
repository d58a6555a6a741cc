import { describe, expect, test } from 'vitest';
import { type Caller, withCaller } from './calling.js';
import { generator, hasGlibc, native } from './native.js';

const TM = 56;
const GMTOFF = 40;
const ZONE = 48;

/** The fields of a struct tm: tm_sec to tm_isdst. */
const fields = (caller: Caller, tm: number): number[] =>
  Array.from({ length: 9 }, (_, index) => caller.memory.i32(tm + 4 * index));

function putTm(caller: Caller, values: readonly number[], zone = 'UTC', offset = 0): number {
  const tm = caller.room(TM);
  values.forEach((value, index) => {
    caller.memory.setU32(tm + 4 * index, value);
  });
  caller.memory.setU64(tm + GMTOFF, BigInt(offset));
  caller.memory.setPointer(tm + ZONE, caller.put(zone));
  return tm;
}

function putTime(caller: Caller, seconds: bigint): number {
  const at = caller.room(8);
  caller.memory.setU64(at, seconds);
  return at;
}

function format(caller: Caller, text: string, tm: number, room = 200): string {
  const to = caller.room(200);
  const size = caller.int('strftime', to, room, text, tm);
  const written = caller.text(to);
  expect(written.length).toBe(size);
  return written;
}

test('moments are broken down and put together again', () => {
  withCaller((caller) => {
    // `date -u -d @1709210096`: Thu Feb 29 12:34:56 UTC 2024
    const tm = caller.room(TM);
    expect(caller.call('gmtime_r', putTime(caller, 1709210096n), tm)).toBe(BigInt(tm));
    expect(fields(caller, tm)).toEqual([56, 34, 12, 29, 1, 124, 4, 59, 0]);
    expect(caller.text(caller.memory.pointer(tm + ZONE))).toBe('GMT');
    expect(caller.long('timegm', tm)).toBe(1709210096n);
    const local = Number(caller.call('localtime', putTime(caller, -1n)));
    expect(fields(caller, local)).toEqual([59, 59, 23, 31, 11, 69, 3, 364, 0]);
    expect(caller.text(caller.memory.pointer(local + ZONE))).toBe('UTC');
    // The last day of 400 years that begin in March: `date -u -d @951782400`
    const leap = Number(caller.call('gmtime', putTime(caller, 951_782_400n)));
    expect(fields(caller, leap)).toEqual([0, 0, 0, 29, 1, 100, 2, 59, 0]);
    // The 31st of the 14th month of 2023 is March 2, 2024, a Saturday.
    const odd = putTm(caller, [0, 0, 0, 31, 13, 123, 0, 0, 0]);
    expect(caller.long('mktime', odd)).toBe(1709337600n);
    expect(fields(caller, odd)).toEqual([0, 0, 0, 2, 2, 124, 6, 61, 0]);
    expect(caller.text(caller.call('asctime', odd))).toBe('Sat Mar  2 00:00:00 2024\n');
    expect(caller.text(caller.call('ctime', putTime(caller, 0n)))).toBe('Thu Jan  1 00:00:00 1970\n');
    expect(caller.call('gmtime', putTime(caller, 2n ** 62n)), 'a year that no int holds').toBe(0n);
    expect(caller.errno).toBe(75);
  });
});

test('strftime writes what C says, all of it or nothing', () => {
  withCaller((caller) => {
    const tm = putTm(caller, [5, 4, 15, 3, 0, 121, 0, 2, 0]);
    expect(format(caller, '%Y-%m-%d %H:%M:%S %j', tm)).toBe('2021-01-03 15:04:05 003');
    expect(format(caller, '%A %a %B %b %p %I %y %C %e', tm)).toBe('Sunday Sun January Jan PM 03 21 20  3');
    expect(format(caller, '%G-W%V-%u, %g, %U %W %w', tm), 'ISO 8601: still of the year before').toBe(
      '2020-W53-7, 20, 01 00 0',
    );
    expect(format(caller, '%c|%x|%X|%r|%D|%F|%T|%R', tm)).toBe(
      'Sun Jan  3 15:04:05 2021|01/03/21|15:04:05|03:04:05 PM|01/03/21|2021-01-03|15:04:05|15:04',
    );
    expect(format(caller, '%%%n%t%Z%z%Ey%Od%-d%^a%Q', tm)).toBe('%\n\tUTC+00002103'.concat('3SUN%Q'));
    const monday = putTm(caller, [0, 0, 0, 29, 11, 125, 1, 362, 0]);
    expect(format(caller, '%G-W%V-%u, %g', monday), 'ISO 8601: of the next year already').toBe('2026-W01-1, 26');
    const to = caller.put('before');
    expect(caller.int('strftime', to, 4, '%Y', tm)).toBe(0);
    expect(caller.int('strftime', to, 5, '%Y', tm)).toBe(4);
    expect(caller.text(to)).toBe('2021');
    const latin = caller.put(Uint8Array.of(0xe9, 0x25, 0x48, 0xff, 0));
    expect(caller.int('strftime', to, 6, latin, tm), 'bytes that are no UTF-8 stay').toBe(4);
    expect([...caller.memory.read(to, 5)]).toEqual([0xe9, 0x31, 0x35, 0xff, 0]);
  });
});

test("the clock is the virtual one; the processor's counts instructions", () => {
  withCaller((caller) => {
    const { process } = caller;
    process.mill.clock.jump(12_345_678);
    const pair = (at: number): bigint[] => [caller.memory.u64(at), caller.memory.u64(at + 8)];
    const at = caller.room(16);
    expect([caller.call('time', 0), caller.call('time', at), caller.memory.u64(at)]).toEqual([12345n, 12345n, 12345n]);
    expect([caller.int('gettimeofday', at, 0), ...pair(at)]).toEqual([0, 12345n, 678_000n]);
    for (const id of [0, 1, 4, 5, 6, 7]) {
      expect([caller.int('clock_gettime', id, at), ...pair(at)]).toEqual([0, 12345n, 678_000_000n]);
      expect([caller.int('clock_getres', id, at), ...pair(at)]).toEqual([0, 0n, 1_000_000n]);
    }
    expect([caller.int('clock_gettime', 77, at), caller.errno]).toEqual([-1, 22]);
    const moment = process.cpu.moment;
    // Inside the second instruction of the call.
    expect([caller.int('clock_gettime', 2, at), ...pair(at)]).toEqual([0, 0n, BigInt(moment + 2)]);
    expect(caller.double('difftime', 10, 13)).toBe(-3);
    expect(process.mill.clock.time(), 'asking takes no time').toBe(12_345_678);
  });
});

test("on the real clock, time is the calendar's", () => {
  withCaller(
    (caller) => {
      const before = Math.floor(Date.now() / 1000);
      const time = Number(caller.call('time', 0));
      expect(time).toBeGreaterThanOrEqual(before);
      expect(time).toBeLessThanOrEqual(Date.now() / 1000);
    },
    { clock: 'real' },
  );
});

describe.skipIf(!hasGlibc)('as in glibc', () => {
  const random = generator(7);
  const wide = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));

  test('seconds are broken down, and written as text', () => {
    const times = Array.from({ length: 1500 }, (_, index) => {
      if (index < 500) return BigInt.asIntN(33, wide());
      return BigInt.asIntN(index < 1000 ? 40 : 57, wide());
    });
    const expected = native(`#include <stdio.h>
#include <time.h>
static long times[] = { ${times.map((time) => `${time}L`).join(', ')} };
int main(void) {
  for (int i = 0; i < ${times.length}; i++) {
    struct tm *t = gmtime(&times[i]);
    if (!t) { puts("NULL"); continue; }
    printf("%d %d %d %d %d %d %d %d %d ", t->tm_sec, t->tm_min, t->tm_hour, t->tm_mday, t->tm_mon, t->tm_year, t->tm_wday, t->tm_yday, t->tm_isdst);
    printf("%ld ", timegm(t));
    char *s = ctime(&times[i]);
    printf("%s", s ? s : "none\\n");
  }
}`);
    withCaller((caller) => {
      const found = times.map((time) => {
        caller.clear();
        const at = putTime(caller, time);
        const tm = Number(caller.call('gmtime', at));
        if (tm === 0) return 'NULL';
        const broken = `${fields(caller, tm).join(' ')} ${caller.long('timegm', tm)}`;
        const text = caller.call('ctime', at);
        return `${broken} ${text === 0n ? 'none' : caller.text(text).trimEnd()}`;
      });
      found.forEach((line, index) => {
        expect(line).toBe(expected[index]);
      });
      expect(found.length).toBe(expected.length);
      expect(found).toContain('NULL');
    });
  });

  test('the days around New Year are in their weeks', () => {
    const days = Array.from({ length: 60 * 12 }, (_, index) => {
      return BigInt(Date.UTC(1970 + Math.floor(index / 12), 11, 26 + (index % 12)) / 1000);
    });
    const expected = native(`#include <stdio.h>
#include <time.h>
static long days[] = { ${days.map((day) => `${day}L`).join(', ')} };
int main(void) {
  for (int i = 0; i < ${days.length}; i++) {
    char s[100];
    strftime(s, 100, "%F %G %g %V %u %U %W %j", gmtime(&days[i]));
    puts(s);
  }
}`);
    withCaller((caller) => {
      days.forEach((day, index) => {
        caller.clear();
        const tm = Number(caller.call('gmtime', putTime(caller, day)));
        expect(format(caller, '%F %G %g %V %u %U %W %j', tm)).toBe(expected[index]);
      });
      expect(days.length).toBe(expected.length);
    });
  });

  test('fields that are out of their range are put in order', () => {
    const any = (range: number): number => random(range) - Math.floor(range / 2);
    const cases = Array.from({ length: 1000 }, (_, index) => {
      const range = index < 500 ? 200 : 2_000_000_000;
      return [any(range), any(range), any(range), any(range), any(range), any(2000), 0, 0, any(3)];
    });
    const expected = native(`#include <stdio.h>
#include <time.h>
static struct tm all[] = { ${cases.map((one) => `{ ${one.join(', ')} }`).join(',\n')} };
int main(void) {
  for (int i = 0; i < ${cases.length}; i++) {
    struct tm *t = &all[i];
    printf("%ld ", mktime(t));
    printf("%d %d %d %d %d %d %d %d %d\\n", t->tm_sec, t->tm_min, t->tm_hour, t->tm_mday, t->tm_mon, t->tm_year, t->tm_wday, t->tm_yday, t->tm_isdst);
  }
}`);
    withCaller((caller) => {
      const found = cases.map((one) => {
        caller.clear();
        const tm = putTm(caller, one);
        return `${caller.long('mktime', tm)} ${fields(caller, tm).join(' ')}`;
      });
      found.forEach((line, index) => {
        expect(line).toBe(expected[index]);
      });
      expect(found.length).toBe(expected.length);
    });
  });

  test('every conversion is written', () => {
    const letters = 'aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%+';
    // Small letters that are asked for by name and then made large: glibc does not.
    const formats = ['', '-', '_', '0', '^']
      .flatMap((flag) => [...letters].map((letter) => `%${flag}${letter}`))
      .filter((format) => format !== '%^P');
    formats.push(
      ...[...'cCxXyY'].map((letter) => `%E${letter}`),
      ...[...'deHImMSuUVwWy'].map((letter) => `%O${letter}`),
    );
    const cases = Array.from({ length: 60 }, (_, index) => [
      random(61),
      random(60),
      index < 24 ? index : random(24),
      1 + random(31),
      random(12),
      index < 40 ? random(200) : random(11000) - 1900,
      random(7),
      random(366),
      random(2),
    ]);
    cases.push([0, 0, 0, 0, 12, 100, 7, 365, 0], [-5, 99, 30, -1, -1, 100, -1, -1, -1]);
    const list = formats.map((one) => `"${one}"`).join(', ');
    const expected = native(`#include <stdio.h>
#include <string.h>
#include <time.h>
static struct tm all[] = { ${cases.map((one) => `{ ${one.join(', ')}, 3600 * 5 + 60 * 30, "XST" }`).join(',\n')} };
static const char *formats[] = { ${list} };
int main(void) {
  for (int i = 0; i < ${cases.length}; i++) for (int f = 0; f < ${formats.length}; f++) {
    char s[100] = "";
    struct tm t = all[i];
    strftime(s, sizeof s, formats[f], &t);
    for (char *p = s; *p; p++) if (*p == '\\n') *p = '/';
    printf("%s %d %s\\n", formats[f], i, s);
  }
}`);
    withCaller((caller) => {
      let line = 0;
      cases.forEach((one, index) => {
        for (const text of formats) {
          caller.clear();
          const tm = putTm(caller, one, 'XST', 3600 * 5 + 60 * 30);
          const found = `${text} ${index} ${format(caller, text, tm).replace('\n', '/')}`;
          expect(found, one.join(' ')).toBe(expected[line++]);
        }
      });
      expect(line).toBe(expected.length);
    });
  });
});
