import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMANDS, commandOf } from '../../../inspect/tui/commands.js';
import { helpLines } from '../../../inspect/tui/help.js';
import { KEYS, keyOf } from '../../../inspect/tui/keys.js';
import { areasOf, FOOT, layoutOf, PANES } from '../../../inspect/tui/layout.js';

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');

/** What gdb calls things (its manual, "Continuing and Stepping", "Reverse", "Breakpoints"), and what that is here. */
const GDB = [
  ['stepi', 'step'],
  ['si', 'step'],
  ['nexti', 'over'],
  ['ni', 'over'],
  ['finish', 'out'],
  ['reverse-stepi', 'back'],
  ['rsi', 'back'],
  ['rni', 'over-back'],
  ['reverse-finish', 'out-back'],
  ['continue', 'run'],
  ['c', 'run'],
  ['cont', 'run'],
  ['reverse-continue', 'run-back'],
  ['rc', 'run-back'],
  ['b', 'break'],
  ['break', 'break'],
  ['watch', 'watch'],
  ['backtrace', 'stack'],
  ['bt', 'stack'],
  ['delete', 'delete'],
  ['d', 'delete'],
  ['info', 'info'],
  ['i', 'info'],
  ['thread', 'coroutine'],
  ['until', 'to'],
  ['advance', 'to'],
  ['x', 'x'],
  ['p', 'print'],
  ['quit', 'quit'],
  ['q', 'quit'],
  ['help', 'help'],
];

describe('keys', () => {
  test('stand for commands that there are, and no key for two', () => {
    for (const { command } of KEYS) expect(() => commandOf(command.split(' ')[0])).not.toThrow();
    const keys = KEYS.flatMap((binding) => binding.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('are all in the README and in the help, as commands are', () => {
    const table = README.slice(README.indexOf('| keys '), README.indexOf('Esc or Ctrl-C ends'));
    for (const key of KEYS.flatMap(({ keys }) => keys)) expect(table).toContain(`\`${key}\``);
    const help = helpLines(200).join('\n');
    for (const { help: text } of KEYS.filter(({ keys }) => !/^\d$/.test(keys[0]))) expect(help).toContain(text);
    for (const { name } of COMMANDS) expect(help).toContain(`:${name}`);
  });

  // As ASCII has them: `man ascii`.
  test.each([
    ['\x03', 'Ctrl-c'],
    ['\x1b', 'Escape'],
    ['\r', 'Enter'],
    ['\t', 'Tab'],
    ['\x7f', 'Backspace'],
    ['\x15', 'Ctrl-u'],
    ['s', 's'],
    [' ', ' '],
    ['é', 'é'],
  ])('%j is %s, also among others that come together with it', (character, key) => {
    expect(keyOf(character)).toBe(key);
  });

  test.each(['tbreak', 'awatch'])('%s, which would not be what gdb does, is not there', (name) => {
    expect(() => commandOf(name)).toThrow(/there is no command/);
  });

  test.each(GDB)("gdb's %s is %s", (name, command) => {
    expect(commandOf(name).name).toBe(command);
  });

  test('names of commands stand for one only', () => {
    const names = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe('the layout', () => {
  test.each([
    [60, 16],
    [80, 24],
    [100, 30],
    [120, 38],
    [120, 40],
    [179, 60],
    [200, 50],
    [300, 100],
  ])('fills a screen of %dx%d exactly, whatever pane has the keys', (columns, rows) => {
    for (const focus of PANES) {
      for (const isZoomed of [false, true]) {
        const layout = layoutOf(columns, rows, focus, isZoomed);
        if (layout === undefined) throw new Error('there is no layout');
        expect(layout.bands.reduce((sum, { height }) => sum + height, layout.head + FOOT)).toBe(rows);
        for (const { height, columns: all } of layout.bands) {
          expect(all.reduce((sum, { width }) => sum + width, 0)).toBe(columns);
          for (const { areas } of all) expect(areas.reduce((sum, area) => sum + area.height, 0)).toBe(height);
        }
        expect(areasOf(layout).map(({ pane }) => pane)).toContain(focus);
        expect(areasOf(layout).every(({ width, height }) => width > 10 && height >= 3)).toBe(true);
      }
    }
  });

  test.each([
    [59, 24],
    [80, 15],
    [1, 1],
  ])('knows that %dx%d is too small', (columns, rows) => {
    expect(layoutOf(columns, rows, 'code', false)).toBeUndefined();
  });
});
