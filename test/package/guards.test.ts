import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ENVIRONMENT, linkedConsumer } from '../inspect/vitest/consumer-folder.js';

/** Where .ci/run has installed the packed package; without it this package is linked as it is built. */
const INSTALLED = process.env.MILLSCOPE_CONSUMER;
const folder = INSTALLED ?? linkedConsumer();
const source = join(folder, 'relay_switch.S');
const whole = readFileSync(source, 'utf8');

/** A line of the switch as somebody might break it, and what there is to be said about it. */
interface Break {
  readonly what: string;
  readonly line: string;
  readonly broken: string;
  readonly register: string;
  /** Offset in bytes. */
  readonly slot: number;
  /** The line whose instruction uses that slot now, or should. */
  readonly at: string;
}

const BREAKS: readonly Break[] = [
  {
    what: 'a store that is dropped',
    line: 'mov     %r14, 48(%rdi)',
    broken: '',
    register: 'r14',
    slot: 48,
    at: 'mov     48(%rsi), %r14',
  },
  {
    what: 'a load that is dropped',
    line: 'ldmxcsr 64(%rsi)',
    broken: '',
    register: 'mxcsr',
    slot: 64,
    at: 'stmxcsr 64(%rdi)',
  },
  {
    what: 'another register',
    line: 'mov     %r12, 32(%rdi)',
    broken: 'mov     %r11, 32(%rdi)',
    register: 'r12',
    slot: 32,
    at: 'mov     %r11, 32(%rdi)',
  },
  {
    what: 'another width',
    line: 'mov     %rbx, 8(%rdi)',
    broken: 'mov     %ebx, 8(%rdi)',
    register: 'rbx',
    slot: 8,
    at: 'mov     %ebx, 8(%rdi)',
  },
  {
    what: 'another offset',
    line: 'mov     40(%rsi), %r13',
    broken: 'mov     48(%rsi), %r13',
    register: 'r13',
    slot: 40,
    at: 'mov     %r13, 40(%rdi)',
  },
  {
    what: 'another stack',
    line: 'mov     16(%rsi), %rsp',
    broken: 'mov     24(%rsi), %rsp',
    register: 'rsp',
    slot: 16,
    at: 'mov     %rsp, 16(%rdi)',
  },
  {
    what: 'another base',
    line: 'mov     24(%rsi), %rbp',
    broken: 'mov     24(%rdi), %rbp',
    register: 'rbp',
    slot: 24,
    at: 'mov     %rbp, 24(%rdi)',
  },
  {
    what: 'another way back',
    line: 'jmp     *0(%rsi)',
    broken: 'jmp     *8(%rsi)',
    register: 'rip|return address',
    slot: 0,
    at: 'mov     %rdx, 0(%rdi)',
  },
];

/** What each of the guards is started by, and the messages in what it has to say. */
const GUARDS = {
  // It ends with the first command that fails.
  'make check': { command: 'make -s check 2>&1', message: /^┌[\s\S]*/gm },
  vitest: { command: 'npx --no-install vitest run 2>&1', message: /^ FAIL [\s\S]*?⎯⎯⎯/gm },
  'JUnit XML': {
    command: 'make -s junit >/dev/null 2>&1; status=$?; cat layout.xml contract.xml; exit $status',
    message: /<testcase [^>]*[^/]>\s*<failure[\s\S]*?<\/testcase>/g,
  },
} as const;

interface Guarded {
  readonly status: number | null;
  readonly messages: readonly string[];
}

function run({ command, message }: (typeof GUARDS)[keyof typeof GUARDS]): Guarded {
  const { status, stdout } = spawnSync('sh', ['-c', command], { cwd: folder, env: ENVIRONMENT, encoding: 'utf8' });
  return { status, messages: status === 0 ? [] : (stdout.match(message) ?? []) };
}

/** Every guard with the switch as it is now. */
function guard(text: string): Record<string, Guarded> {
  writeFileSync(source, text);
  return Object.fromEntries(Object.entries(GUARDS).map(([name, how]) => [name, run(how)]));
}

const statuses = (results: ReturnType<typeof guard>) =>
  Object.fromEntries(Object.entries(results).map(([name, { status }]) => [name, status]));
const NAMES = Object.keys(GUARDS);
const GREEN = Object.fromEntries(NAMES.map((name) => [name, 0]));

describe.skipIf(spawnSync('make', ['--version']).status !== 0 || spawnSync('gcc', ['--version']).status !== 0)(
  `a library of somebody else's with ${INSTALLED === undefined ? 'this package' : 'the packed package'}`,
  { timeout: 240_000 },
  () => {
    afterAll(() => {
      if (INSTALLED === undefined) rmSync(folder, { recursive: true });
      else writeFileSync(source, whole);
    });

    // With what was packed all of it; here what one break shows, for the sake of time.
    it.runIf(INSTALLED)('has three guards that are content with it', () => {
      expect(statuses(guard(whole))).toEqual(GREEN);
    });

    it.each(INSTALLED === undefined ? BREAKS.slice(0, 1) : BREAKS)(
      'has three guards that name the register, the slot and the instruction: $what',
      ({ line, broken, register, slot, at }) => {
        const text = whole.replace(line, broken);
        expect(text).not.toBe(whole);
        const number = text.split('\n').findIndex((one) => one.includes(at)) + 1;
        expect(number).toBeGreaterThan(0);
        const parts = [
          new RegExp(`\\b(?:${register})\\b`),
          new RegExp(`\\b(?:slot|at|from|to) ${slot}\\b|│ ${slot} +│`),
          new RegExp(`relay_switch\\.S:${number}\\b`),
        ];
        for (const [name, { status, messages }] of Object.entries(guard(text))) {
          expect(status, name).not.toBe(0);
          const whole = messages.filter((message) => parts.every((part) => part.test(message)));
          expect(whole.length, `${name}: ${parts.join(', ')} in one of ${messages.join('\n')}`).toBeGreaterThan(0);
        }
      },
    );

    it('has three guards that are content when it is mended', () => {
      expect(statuses(guard(whole))).toEqual(GREEN);
    });
  },
);
