/** A key, or several that do the same, and the command they stand for. */
export interface KeyBinding {
  /** As a person reads them. */
  readonly keys: readonly string[];
  readonly command: string;
  /** What it does, and in brackets of gdb's names what that calls it. */
  readonly help: string;
  readonly gdb: string;
}

/** All keys; the help and the README show this table. */
export const KEYS: readonly KeyBinding[] = [
  { keys: ['s', '→'], command: 'step', help: 'one instruction on', gdb: 'stepi' },
  { keys: ['S', '←'], command: 'back', help: 'one instruction back', gdb: 'reverse-stepi' },
  { keys: ['n'], command: 'over', help: 'on, a call as one', gdb: 'nexti' },
  { keys: ['N'], command: 'over-back', help: 'back, a call as one', gdb: 'reverse-nexti' },
  { keys: ['f'], command: 'out', help: 'out of the function', gdb: 'finish' },
  { keys: ['F'], command: 'out-back', help: 'back to its call', gdb: 'reverse-finish' },
  { keys: ['l'], command: 'line', help: 'one line of the source on', gdb: 'step' },
  { keys: ['L'], command: 'line-back', help: 'one line back', gdb: 'reverse-step' },
  { keys: ['c'], command: 'run', help: 'to the next breakpoint', gdb: 'continue' },
  { keys: ['C'], command: 'run-back', help: 'back to the last breakpoint', gdb: 'reverse-continue' },
  { keys: ['t', ']'], command: 'switch', help: 'to the next switch', gdb: '' },
  { keys: ['T', '['], command: 'switch-back', help: 'to the switch before', gdb: '' },
  { keys: ['m'], command: 'own-switch', help: 'next switch of the shown coroutine', gdb: '' },
  { keys: ['M'], command: 'own-switch-back', help: 'its switch before', gdb: '' },
  { keys: ['o'], command: 'operation', help: 'next operation on a channel', gdb: '' },
  { keys: ['O'], command: 'operation-back', help: 'operation before', gdb: '' },
  { keys: ['w'], command: 'write', help: 'to who writes the selection next', gdb: 'watch, c' },
  { keys: ['W'], command: 'write-back', help: 'back to who wrote it last', gdb: 'watch, rc' },
  { keys: ['y'], command: 'why', help: 'why the selection holds what it holds', gdb: '' },
  { keys: ['g', 'Home'], command: 'start', help: 'to the start', gdb: '' },
  { keys: ['G', 'End'], command: 'end', help: 'to the end', gdb: '' },
  { keys: ['b'], command: 'toggle', help: 'stop at the selection, or no longer', gdb: 'break' },
  { keys: ['Tab'], command: 'pane next', help: 'next pane', gdb: 'focus next' },
  { keys: ['Shift-Tab'], command: 'pane previous', help: 'pane before', gdb: 'focus prev' },
  { keys: ['1'], command: 'pane code', help: 'code', gdb: 'disassemble' },
  { keys: ['2'], command: 'pane registers', help: 'registers', gdb: 'info registers' },
  { keys: ['3'], command: 'pane ctx', help: 'ctx', gdb: '' },
  { keys: ['4'], command: 'pane stack', help: 'stack', gdb: 'x/8gx $rsp' },
  { keys: ['5'], command: 'pane coroutines', help: 'coroutines', gdb: 'info threads' },
  { keys: ['6'], command: 'pane channels', help: 'channels and timers', gdb: '' },
  { keys: ['7'], command: 'pane output', help: 'output', gdb: '' },
  { keys: ['8'], command: 'pane stops', help: 'breakpoints', gdb: 'info breakpoints' },
  { keys: ['j', '↓'], command: 'down', help: 'select the next line', gdb: '' },
  { keys: ['k', '↑'], command: 'up', help: 'select the line before', gdb: '' },
  {
    keys: ['Enter'],
    command: 'coroutine',
    help: 'keep to the selected coroutine, or to none',
    gdb: 'thread',
  },
  { keys: ['z'], command: 'zoom', help: 'the pane on the whole screen, and back', gdb: '' },
  { keys: [':'], command: 'command', help: 'write a command', gdb: '' },
  { keys: ['?'], command: 'help', help: 'this', gdb: 'help' },
  { keys: ['q'], command: 'quit', help: 'end', gdb: 'quit' },
];

/** The command of a key. */
export function commandOfKey(key: string): string | undefined {
  return KEYS.find(({ keys }) => keys.includes(key))?.command;
}

/** Keys that a terminal sends as control characters, and that have names. */
const CHARACTERS: Readonly<Record<string, string>> = {
  '\r': 'Enter',
  '\n': 'Enter',
  '\t': 'Tab',
  '\b': 'Backspace',
  '\x7f': 'Backspace',
  '\x1b': 'Escape',
};

/** The key that a terminal sends a character for; a control character is the letter 64 above it, with Ctrl. */
export function keyOf(character: string): string {
  if (CHARACTERS[character] !== undefined) return CHARACTERS[character];
  const code = character.charCodeAt(0);
  return code < 0x20 ? `Ctrl-${String.fromCharCode(code + 64).toLowerCase()}` : character;
}
