import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { file, millscope } from './command.js';
import { parseLines } from './trace-lines.js';

/** What is used of Chrome's Trace Event Format, as its description has it. */
interface ViewerEvent {
  readonly name: string;
  readonly ph: 'X' | 's' | 'f' | 'i' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly id: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const common = {
  name: { type: 'string' },
  pid: { type: 'integer' },
  tid: { type: 'integer' },
  args: { type: 'object' },
};
const timed = { ...common, cat: { type: 'string' }, ts: { type: 'integer', minimum: 0 } };

const event = (ph: string, fields: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties: { ...fields, ph: { const: ph } },
  required: ['name', 'ph', 'pid', 'tid', 'args', ...required],
  additionalProperties: false,
});
const id = { id: { type: 'integer' } };

const SCHEMA = {
  type: 'object',
  required: ['traceEvents', 'displayTimeUnit'],
  additionalProperties: false,
  properties: {
    displayTimeUnit: { enum: ['ms', 'ns'] },
    otherData: { type: 'object' },
    traceEvents: {
      type: 'array',
      items: {
        oneOf: [
          event('X', { ...timed, dur: { type: 'integer', minimum: 1 } }, ['ts', 'dur']),
          event('s', { ...timed, ...id }, ['ts', 'id', 'cat']),
          event('f', { ...timed, ...id, bp: { const: 'e' } }, ['ts', 'id', 'cat', 'bp']),
          event('i', { ...timed, s: { enum: ['t', 'p', 'g'] } }, ['ts', 's']),
          event('M', common),
        ],
      },
    },
  },
};
const validate = new Ajv().compile(SCHEMA);

function viewerEvents(program: string, ...options: string[]): ViewerEvent[] {
  const { stdout } = millscope(['trace', '--format', 'perfetto', program, ...options]);
  const trace = JSON.parse(stdout);
  expect(validate(trace), JSON.stringify(validate.errors)).toBe(true);
  return trace.traceEvents;
}

const threadOf = ({ pid, tid }: ViewerEvent): string => `${pid}/${tid}`;

/** Each arrow with both of its ends, which have to be in slices that the viewer has read before. */
function arrowsOf(events: readonly ViewerEvent[]): { from: ViewerEvent; to: ViewerEvent }[] {
  const sends = new Map<number, ViewerEvent>();
  const ends = new Map<number, ViewerEvent>();
  events.forEach((event, index) => {
    if (event.ph !== 's' && event.ph !== 'f') return;
    const where = event.ph === 's' ? sends : ends;
    expect(where.has(event.id)).toBe(false);
    where.set(event.id, event);
    const slice = events
      .slice(0, index)
      .find(
        (one) =>
          one.ph === 'X' && threadOf(one) === threadOf(event) && one.ts <= event.ts && event.ts < one.ts + one.dur,
      );
    expect(slice, JSON.stringify(event)).toBeDefined();
    expect(event.args.moment).toBe(event.ts);
  });
  expect([...ends.keys()].sort()).toEqual([...sends.keys()].sort());
  const arrows = [...sends].map(([id, from]) => {
    const to = ends.get(id) as ViewerEvent;
    expect(to.ts).toBeGreaterThanOrEqual(from.ts);
    expect(to.args.channel).toBe(from.args.channel);
    return { from, to };
  });
  // Nothing overtakes: of each channel, arrows begin and end in the same order.
  for (const channel of new Set(arrows.map(({ from }) => from.args.channel))) {
    const ends = arrows.filter(({ from }) => from.args.channel === channel).sort((a, b) => a.from.ts - b.from.ts);
    expect(ends.map(({ to }) => to.ts)).toEqual(ends.map(({ to }) => to.ts).sort((a, b) => a - b));
  }
  return arrows;
}

const namesOf = (events: readonly ViewerEvent[]): string[] =>
  events.filter(({ name }) => name === 'thread_name').map(({ args }) => String(args.name));

describe('millscope trace --format perfetto', () => {
  const PIPELINE = 'fixtures/programs/pipeline.s';

  it('has an arrow for each send of the pipeline that was received, and for nothing else', () => {
    const arrows = arrowsOf(viewerEvents(PIPELINE));
    // Five numbers go from the source through three stages to main, on four channels; chdone is no send. The source is
    // coroutine 1, the stages are 2 to 4; a thread is a coroutine's id and 1.
    const expected = [1, 2, 3, 4].flatMap((from) =>
      Array.from({ length: 5 }, () => ({ channel: from, from: from + 1, to: from === 4 ? 1 : from + 2 })),
    );
    const found = arrows.map(({ from, to }) => ({ channel: Number(from.args.channel), from: from.tid, to: to.tid }));
    expect(found.sort((a, b) => a.channel - b.channel)).toEqual(expected);
  });

  it.each([
    // Four strokes of each side, through buffers.
    ['buffered-ping-pong.s', 8],
    // Three producers of three numbers, to a choose.
    ['fan-in.s', 9],
    // Only chdone.
    ['done-broadcast.s', 0],
    // One there and one back; then everybody waits.
    ['deadlock.s', 2],
    // The values at 20 and at 40 ms.
    ['timeouts.s', 2],
  ])('has as many arrows of %s as elements are received: %i', (name, count) => {
    expect(arrowsOf(viewerEvents(`fixtures/programs/${name}`))).toHaveLength(count);
  });

  it('has arrows through a buffer, in which nothing overtakes', () => {
    const program = file(
      'buffered.s',
      '.include "libmill.inc"\n.text\n.globl main\nmain: push %rbx\n push %r12\n sub $8, %rsp\n mov $8, %edi\n' +
        ' mov $3, %esi\n xor %edx, %edx\n call mill_chmake_\n mov %rax, %r12\n mov $3, %ebx\n' +
        'send: mov %r12, %rdi\n lea value(%rip), %rsi\n mov $8, %edx\n xor %ecx, %ecx\n call mill_chs_\n' +
        ' dec %ebx\n jnz send\n go reader\n xor %edi, %edi\n call mill_yield_\n xor %edi, %edi\n call mill_yield_\n' +
        ' xor %edi, %edi\n call mill_yield_\n xor %eax, %eax\n add $8, %rsp\n pop %r12\n pop %rbx\n ret\n' +
        'reader: push %rbx\n mov $3, %ebx\nread: mov %r12, %rdi\n mov $8, %esi\n xor %edx, %edx\n call mill_chr_\n' +
        ' dec %ebx\n jnz read\n pop %rbx\n ret\n.data\nvalue: .quad 5\n',
    );
    // main has sent all three before the reader has the first.
    const arrows = arrowsOf(viewerEvents(program));
    expect(arrows).toHaveLength(3);
    const lastSend = Math.max(...arrows.map(({ from }) => from.ts));
    expect(arrows.every(({ from, to }) => from.tid === 1 && to.tid === 2 && to.ts > lastSend)).toBe(true);
  });

  it('has no arrow for what stays in a buffer', () => {
    const program = file(
      'kept.s',
      '.include "libmill.inc"\n.text\n.globl main\nmain: push %rbx\n mov $8, %edi\n mov $2, %esi\n xor %edx, %edx\n' +
        ' call mill_chmake_\n mov %rax, %rdi\n lea value(%rip), %rsi\n mov $8, %edx\n xor %ecx, %ecx\n call mill_chs_\n' +
        ' xor %eax, %eax\n pop %rbx\n ret\n.data\nvalue: .quad 5\n',
    );
    const events = viewerEvents(program);
    expect(events.some(({ name }) => name === 'chs <1>')).toBe(true);
    expect(arrowsOf(events)).toEqual([]);
  });

  it('has a slice for each period of running: one at each moment, as the switches are', () => {
    const slices = viewerEvents(PIPELINE).filter(({ ph }) => ph === 'X');
    const switches = parseLines(millscope(['switches', '--json', PIPELINE]).stdout).filter((line) => 'switch' in line);
    const borders = [0, ...switches.map(({ at }) => at), 2899];
    expect(slices.map(({ ts, dur }) => [ts, ts + dur])).toEqual(
      borders.slice(1).map((border, index) => [borders[index], border]),
    );
  });

  it('names the threads after coroutines and the functions that they start in', () => {
    expect(namesOf(viewerEvents(PIPELINE)).map((name) => name.replace(/\(.*:\d+\)/, '(line)'))).toEqual([
      'main',
      'coroutine 1: source (line)',
      'coroutine 2: stage (line)',
      'coroutine 3: stage (line)',
      'coroutine 4: stage (line)',
    ]);
    expect(
      namesOf(viewerEvents('fixtures/c/prime-sieve.o'))
        .slice(0, 3)
        .map((name) => name.split(' (')[0]),
    ).toEqual(['main', 'coroutine 1: generate', 'coroutine 2: filter']);
  });

  it('shows output and timers', () => {
    const instants = viewerEvents('fixtures/programs/msleep-sort.s').filter(({ ph }) => ph === 'i');
    const texts = instants.filter(({ name }) => name === 'output').map(({ args }) => args.text);
    expect(texts.join('')).toBe(millscope(['run', 'fixtures/programs/msleep-sort.s']).stdout);
    expect(instants.filter(({ name }) => name === 'timer: msleep').length).toBeGreaterThan(2);
  });

  it('says what its time is', () => {
    const { stdout } = millscope(['trace', '--format', 'perfetto', PIPELINE]);
    expect(JSON.parse(stdout).otherData.time).toMatch(/instruction/);
  });

  it('shows instructions if they are asked for, one microsecond each', () => {
    const options = ['--events', 'instruction,transfer,channel', '--from', '100', '--to', '900'];
    const events = viewerEvents(PIPELINE, ...options);
    const instructions = events.filter(({ ph, dur, args }) => ph === 'X' && dur === 1 && 'place' in args);
    expect(instructions.map(({ ts }) => ts)).toEqual(Array.from({ length: 800 }, (_, index) => 100 + index));
    const running = events.filter(({ name }) => name === 'running');
    for (const one of instructions) {
      const slice = running.find(({ ts, dur }) => ts <= one.ts && one.ts < ts + dur);
      expect(slice && threadOf(slice)).toBe(threadOf(one));
    }
    arrowsOf(events);
  });

  it('has only what is within the moments asked for', () => {
    const events = viewerEvents(PIPELINE, '--from', '700', '--to', '1500');
    const timed = events.filter(({ ph }) => ph !== 'M');
    expect(timed.every(({ ts, dur }) => ts >= 700 && ts + (dur ?? 0) <= 1500)).toBe(true);
    const all = arrowsOf(viewerEvents(PIPELINE)).filter(({ from, to }) => from.ts >= 700 && to.ts < 1500);
    const within = arrowsOf(events).map(({ from, to }) => [from.ts, to.ts]);
    expect(within).toEqual(all.map(({ from, to }) => [from.ts, to.ts]));
    expect(within.length).toBeGreaterThan(3);
  });

  it('shows children of fork() as processes of their own, which share no moment', () => {
    const path = 'fixtures/c/fork-workers.o';
    const events = viewerEvents(path);
    const slices = events.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts);
    for (const [index, { ts, dur }] of slices.entries()) expect(slices[index + 1]?.ts ?? ts + dur).toBe(ts + dur);
    const forks = parseLines(millscope(['trace', path, '--format', 'jsonl', '--events', 'process']).stdout);
    const running: ViewerEvent[] = [];
    for (const { kind, what, at, process } of forks) {
      if (kind !== 'process') continue;
      const before = slices.findIndex(({ ts, dur }) => ts + dur === at);
      const [from, to] = [slices[before], slices[before + 1]];
      if (what === 'start') {
        running.push(from);
        expect({ pid: to.pid, tid: to.tid }).toEqual({ pid: process, tid: from.tid });
      } else {
        const parent = running.pop();
        expect({ child: from.pid, pid: to.pid, tid: to.tid }).toEqual({
          child: process,
          pid: parent?.pid,
          tid: parent?.tid,
        });
      }
    }
    expect(new Set(slices.map(({ pid }) => pid)).size).toBeGreaterThan(2);
    arrowsOf(events);
  });

  it('lets both, parent and child, receive what was in a buffer at the fork', () => {
    const program = file(
      'fork.s',
      '.include "libmill.inc"\n.text\n.globl main\nmain: push %rbx\n mov $8, %edi\n mov $1, %esi\n xor %edx, %edx\n' +
        ' call mill_chmake_\n mov %rax, %rbx\n mov %rbx, %rdi\n lea value(%rip), %rsi\n mov $8, %edx\n' +
        ' xor %ecx, %ecx\n call mill_chs_\n call fork\n mov %rbx, %rdi\n mov $8, %esi\n xor %edx, %edx\n' +
        ' call mill_chr_\n xor %eax, %eax\n pop %rbx\n ret\n.data\nvalue: .quad 5\n',
    );
    const arrows = arrowsOf(viewerEvents(program));
    expect(arrows.map(({ from, to }) => [from.pid, to.pid])).toEqual([
      [1, 2],
      [1, 1],
    ]);
    expect(arrows[0].from.ts).toBe(arrows[1].from.ts);
  });

  it('divides long periods in which much happens', () => {
    // 60,000 now() do nothing to see; 60,000 chdup of one channel are 60,000 instants.
    const program = file(
      'many.s',
      '.include "libmill.inc"\n.text\n.globl main\nmain: push %rbx\n push %r12\n push %r13\n mov $8, %edi\n' +
        ' mov $2, %esi\n xor %edx, %edx\n call mill_chmake_\n mov %rax, %r12\n mov $60000, %ebx\n' +
        'next: mov %r12, %rdi\n xor %esi, %esi\n call mill_chdup_\n dec %ebx\n jnz next\n' +
        ' xor %eax, %eax\n pop %r13\n pop %r12\n pop %rbx\n ret\n',
    );
    const events = viewerEvents(program);
    expect(events.filter(({ name }) => name === 'chdup <1>')).toHaveLength(60_000);
    const slices = events.filter(({ ph }) => ph === 'X');
    expect(slices.length).toBe(2);
    expect(slices[0].ts + slices[0].dur).toBe(slices[1].ts);
  });
});
