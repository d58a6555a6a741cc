import { COMMANDS } from './commands.js';
import { KEYS, type KeyBinding } from './keys.js';

/** Of two columns of keys on the narrowest screen that has both. */
const KEY_COLUMN = 40;
/** Of a column with gdb's names. */
const WIDE_COLUMN = 58;

const MARKS = [
  '▶ next instruction  * changed by the last one  → changed by the next one',
  '✓ has arrived in this switch  = register and slot are alike  ● breakpoint',
];

/** What begins a command of a pane that has a number for a key. */
const PANE = 'pane ';

/** Keys in as many columns as there is room for, and behind them all commands. */
export function helpLines(columns: number): string[] {
  const isNumber = ({ command, keys }: KeyBinding): boolean => command.startsWith(PANE) && /^\d$/.test(keys[0]);
  const count = Math.max(1, Math.floor(columns / (columns >= 2 * WIDE_COLUMN ? WIDE_COLUMN : KEY_COLUMN)));
  const width = Math.floor(columns / count);
  const row = (name: string, help: string, gdb: string): string => {
    const text = `${name.padEnd(width >= WIDE_COLUMN ? 12 : 8)} ${help}`;
    const withGdb = gdb === '' ? text : `${text} (${gdb})`;
    return withGdb.length < width ? withGdb : text;
  };
  const keys = [
    ...KEYS.filter((binding) => !isNumber(binding)).map(({ keys: names, help, gdb }) =>
      row(names.join(' '), help, gdb),
    ),
    row('1 … 8', 'panes, by their numbers', ''),
  ];
  const height = Math.ceil(keys.length / count);
  const lines = Array.from({ length: height }, (_, at) =>
    Array.from({ length: count }, (__, column) =>
      (keys[at + column * height] ?? '').slice(0, width - 1).padEnd(width),
    ).join(''),
  );
  const commands = COMMANDS.map(({ name, aliases, parameters, help }) => {
    const gdb = aliases.length === 0 ? '' : ` (${aliases.join(', ')})`;
    return `:${`${name} ${parameters}`.padEnd(22)} ${help}${gdb}`;
  });
  return [...MARKS, ...lines, '', ...commands];
}
