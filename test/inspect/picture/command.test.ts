import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectComplaint, file, folder, millscope } from '../command.js';

const PROGRAM = 'fixtures/programs/ping-pong.s';

test('picture draws a moment on standard output', () => {
  const { status, stdout, stderr } = millscope(['picture', PROGRAM, '--at', '54', '--dark']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  // As the README has it, the switch of coroutine 1 at moment 78 saves 0x0 from r12; mill_setjmp.s does that at line 19.
  expect(stdout).toMatch(/^<svg [\s\S]*0x0 goes from r12 to slot 2 r12\.[\s\S]*<\/svg>\n$/);
  expect(stdout).toContain('#14171d');
  expect(stdout).not.toContain('@keyframes');
});

test('picture writes several moments into a file, over another one', () => {
  const path = file('moving.svg', 'what was there');
  const { status, stdout, stderr } = millscope(['picture', PROGRAM, '--at', '54', '--steps', '2', '-o', path]);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  const svg = readFileSync(path, 'utf8');
  expect(svg).toContain('<title>ping-pong.s   moments 54 to 56</title>');
  expect(svg).toContain('@keyframes');
});

test('picture says what it cannot draw, and leaves the program alone', () => {
  const path = file('program.s', readFileSync('fixtures/programs/three-workers.s'));
  const refused = (...args: string[]) => millscope(['picture', ...args]);
  expectComplaint(refused(path, '--at', '1', '-o', path), 2, /would write over the program/);
  expect(readFileSync(path)).toEqual(readFileSync('fixtures/programs/three-workers.s'));
  const beyond = refused(PROGRAM, '--at', '1', '--steps', '500', '-o', join(folder, 'none.svg'));
  expectComplaint(beyond, 2, /the run has no moment 3\d\d: its last one is 3\d\d$/m);
  expect(() => readFileSync(join(folder, 'none.svg'))).toThrow(/ENOENT/);
});
