/** Commands that stay where they are. */
import { GENERAL_REGISTERS } from '../../emu/registers.js';
import { UsageError } from '../errors.js';
import { coroutineName, hex } from '../names.js';
import { addressesOf } from '../places.js';
import { addressOf, type Place, placeOf } from '../provenance/place.js';
import { placeOfWatched, slotHolder } from '../watched.js';
import type { Command } from './command-type.js';
import type { Controls } from './controls.js';
import { coroutineId, numberOf, registerOf, watchedBy, watchedOf, watchedText } from './subjects.js';

const WORD = 8;
const MOST_WORDS = 64;
/** Steps of an explanation that have a key. */
const DIGITS = 9;

/** What gdb's info is asked for, and the pane that has it. */
const INFO: Readonly<Record<string, string>> = {
  registers: 'registers',
  breakpoints: 'stops',
  watchpoints: 'stops',
  threads: 'coroutines',
  coroutines: 'coroutines',
  channels: 'channels',
  timers: 'channels',
  stack: 'stack',
  frame: 'stack',
  output: 'output',
  line: 'code',
  symbol: 'code',
  source: 'code',
};

function breakAt({ session, view, subject, say }: Controls, words: readonly string[]): void {
  const selected = subject?.kind === 'place' ? subject.place : undefined;
  const place = words.join(' ').replace(/^\*/, '') || (selected ?? hex(view.registers.find(isRip)?.now ?? 0n));
  const { number } = session.watch({ kind: 'place', place });
  say(`breakpoint ${number} at ${session.process.describe(BigInt(addressesOf(session.process, place)[0] ?? 0))}`);
}

const isRip = ({ name }: { readonly name: string }): boolean => name === 'rip';

function watch({ session, subject, say }: Controls, words: readonly string[]): void {
  const watched = words.length > 0 ? watchedOf(session, words) : watchedBy(subject);
  if (watched === undefined) throw new UsageError('what is to be watched? slot 2 r12, rbx, or 0x401000 8');
  if (watched.kind === 'slot') slotHolder(session.process, watched.coroutine);
  const { number } = session.watch(watched);
  say(`watchpoint ${number}: ${watchedText(watched)}; c runs to its next change, C back to the last one`);
}

/** Takes away what is set on the selected line, or sets it. */
function toggle(controls: Controls): void {
  const { session, subject, say } = controls;
  if (subject?.kind === 'stop') {
    session.unwatch(subject.number);
    say(`${subject.number} is gone`);
    return;
  }
  const watched = watchedBy(subject);
  if (watched === undefined) throw new UsageError('select an instruction, a register, a slot or a word of the stack');
  const found = session.watchpoints.find((one) => watchedText(one.watched) === watchedText(watched));
  if (found !== undefined) {
    session.unwatch(found.number);
    say(`${found.number} is gone`);
  } else if (watched.kind === 'place') breakAt(controls, [watched.place]);
  else watch(controls, []);
}

function remove({ session, say }: Controls, words: readonly string[]): void {
  const numbers =
    words.length === 0
      ? session.watchpoints.map((one) => one.number)
      : words.map((word) => numberOf(word, 'breakpoint'));
  for (const number of numbers) session.unwatch(number);
  say(numbers.length === 0 ? 'there is no breakpoint' : `${numbers.join(', ')} gone`);
}

function info(controls: Controls, [what]: readonly string[]): void {
  const name = Object.keys(INFO).find((one) => what !== undefined && one.startsWith(what));
  if (name === undefined) throw new UsageError(`info has ${Object.keys(INFO).join(', ')}`);
  controls.focus(INFO[name]);
}

/** What is asked about: as one says what is to be watched, or as `millscope why` has it. @throws UsageError */
function questioned({ session, subject }: Controls, words: readonly string[]): Place {
  const isWatched = /^(slot|ctx)$/i.test(words[0] ?? '') || words.length === 2;
  if (words.length > 0 && !isWatched) return placeOf(session.process, words.join(' ').replace(/^[*&]?\$?/, ''));
  const watched = words.length > 0 ? watchedOf(session, words) : watchedBy(subject);
  if (watched !== undefined && watched.kind !== 'place') return placeOfWatched(session, watched);
  throw new UsageError('why what? select a register (2), a slot (3) or a word (4), or write: why slot 2 r12');
}

/** From where a value has come, step by step; digits go to these steps. */
async function showWhy(controls: Controls, words: readonly string[]): Promise<void> {
  const { session } = controls;
  const place = questioned(controls, words);
  await controls.move(async (options) => {
    // Here, not above: only who asks is to load it.
    const { why } = await import('../provenance/why.js');
    const { sourceText } = await import('../provenance/report.js');
    const { name, value, steps, end } = await why(session, place, options);
    const lines = steps.flatMap((step, index) => {
      const { moment, coroutine, text, at, before, after } = step;
      const who = coroutine === undefined ? '' : `${coroutineName(coroutine)}  `;
      const number = index < DIGITS ? `${index + 1}` : ' ';
      return [
        `${number} moment ${moment}  ${who}${text}${at === '' ? '' : `  ${at}`}`,
        `    ${step.name}: ${before === undefined ? '' : `${hex(before)} → `}${hex(after)}, ${sourceText(step)}`,
      ];
    });
    const rest = end === 'beginning' ? [] : [`    … ${end === 'long' ? 'and so on' : 'interrupted'}`];
    const title = `why ${name} is ${hex(value)}; a digit goes there`;
    controls.show(
      title,
      [...lines, ...rest],
      steps.slice(0, DIGITS).map(({ moment }) => moment),
    );
  });
}

/** An address, which may be in a register. */
function addressIn({ session }: Controls, word: string): number {
  const register = registerOf(word);
  if (register !== undefined) return Number(session.process.cpu.read(register));
  return addressOf(session.process, word.replace(/^[*&]?\$?/, ''));
}

function examine(controls: Controls, words: readonly string[]): void {
  const { process } = controls.session;
  const address = addressIn(controls, words[0] ?? 'rsp');
  const count = Math.min(MOST_WORDS, words[1] === undefined ? WORD : numberOf(words[1], 'number of words'));
  const lines: string[] = [];
  for (let at = address; at < address + count * WORD; at += WORD) {
    const isMapped = [at, at + WORD - 1].every((end) => process.cpu.memory.protectionAt(end) !== undefined);
    if (!isMapped) {
      lines.push(`${hex(BigInt(at))}  nothing is mapped here`);
      break;
    }
    const value = process.cpu.memory.u64(at);
    const place = process.imageAt(value) === undefined ? '' : `  ${process.describe(value)}`;
    lines.push(`${hex(BigInt(at))}  0x${value.toString(16).padStart(16, '0')}${place}`);
  }
  controls.show(`memory at ${process.describe(BigInt(address))}`, lines);
}

function print(controls: Controls, words: readonly string[]): void {
  const { process } = controls.session;
  const names = words.length === 0 ? GENERAL_REGISTERS : words;
  const values = names.map((word) => {
    const register = registerOf(word);
    return register === undefined
      ? `${word} is ${hex(BigInt(addressIn(controls, word)))}`
      : `${register} = ${hex(process.cpu.read(register))}`;
  });
  controls.say(values.join('  '));
}

export const INSPECT: readonly Command[] = [
  {
    name: 'break',
    aliases: ['b', 'hbreak'],
    parameters: '[place]',
    help: 'stop at a place: worker, worker+4, file.c:12, 0x400123; or here',
    run: breakAt,
  },
  {
    name: 'watch',
    aliases: [],
    parameters: 'what',
    help: 'stop when it changes: slot 2 r12, rbx, 0x401000 8',
    run: watch,
  },
  { name: 'toggle', aliases: [], parameters: '', help: 'stop at the selected line, or no longer', run: toggle },
  {
    name: 'delete',
    aliases: ['d'],
    parameters: '[number…]',
    help: 'take a breakpoint or watchpoint away, or all of them',
    run: remove,
  },
  { name: 'info', aliases: ['i'], parameters: 'what', help: 'registers, threads, breakpoints, channels, …', run: info },
  {
    name: 'coroutine',
    aliases: ['co', 'thread', 't'],
    parameters: '[number]',
    help: 'keep to the ctx and stack of one; without a number, of whoever the next instruction concerns',
    run: ({ follow, subject }, [word]) =>
      follow(word === undefined ? (subject?.kind === 'coroutine' ? subject.coroutine : undefined) : coroutineId(word)),
  },
  {
    name: 'why',
    aliases: ['y'],
    parameters: '[what]',
    help: 'where a value comes from, through switches: rbx, eax, slot 2 r12, rsp+8, 0x401000 8',
    run: showWhy,
  },
  {
    name: 'x',
    aliases: ['examine'],
    parameters: 'address [words]',
    help: 'words of memory: x $rsp+8 4, x/4gx 0x401000',
    run: examine,
  },
  { name: 'print', aliases: ['p'], parameters: '[register…]', help: 'registers, symbols', run: print },
  {
    name: 'stack',
    aliases: ['bt', 'backtrace', 'where'],
    parameters: '',
    help: 'the stack, with where its calls return to',
    run: ({ focus }) => focus('stack'),
  },
  {
    name: 'pane',
    aliases: ['focus', 'layout'],
    parameters: 'name',
    help: 'give the keys to a pane',
    run: ({ focus }, [name]) => focus(name ?? 'next'),
  },
  {
    name: 'zoom',
    aliases: [],
    parameters: '',
    help: 'a pane on the whole screen, and back',
    run: ({ zoom }) => zoom(),
  },
  { name: 'down', aliases: [], parameters: '', help: 'select the next line', run: ({ select }) => select(1) },
  { name: 'up', aliases: [], parameters: '', help: 'select the line before', run: ({ select }) => select(-1) },
  { name: 'command', aliases: [], parameters: '', help: 'write a command', run: ({ prompt }) => prompt() },
  { name: 'help', aliases: ['h'], parameters: '', help: 'keys and commands', run: ({ help }) => help() },
  { name: 'quit', aliases: ['q', 'exit'], parameters: '', help: 'end', run: ({ quit }) => quit() },
];
