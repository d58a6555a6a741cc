/** Commands that go to another moment. */
import { UsageError } from '../errors.js';
import type { MoveOptions } from '../history.js';
import { coroutineName } from '../names.js';
import type { Session, Watched } from '../session.js';
import { bytesOf, placeOfWatched, type WatchedValue } from '../watched.js';
import type { Command } from './command-type.js';
import type { Controls } from './controls.js';
import { coroutineId, numberOf, watchedBy, watchedOf, watchedText } from './subjects.js';

const count = ([word]: readonly string[]): number =>
  word === undefined ? 1 : numberOf(word, 'number of instructions');

/** The channel that is meant: by its id, by what is selected, or the only one. @throws UsageError */
function channelOf({ subject, view }: Controls, [word]: readonly string[]): number {
  if (word !== undefined) return numberOf(word.replace(/[<>]/g, ''), 'channel');
  if (subject?.kind === 'channel') return subject.channel;
  if (view.channels.length === 1) return view.channels[0].id;
  throw new UsageError('which channel? select one in the pane of channels (6), or write its number');
}

function coroutineOf({ view }: Controls, [word]: readonly string[]): number {
  return word === undefined ? view.context.coroutine : coroutineId(word);
}

function placeOf(words: readonly string[]): string {
  const place = words.join(' ').replace(/^\*/, '');
  if (place === '') throw new UsageError('to where? write a symbol, symbol+4, file.c:12 or an address');
  return place;
}

function runningName({ process }: Session): string {
  return process.running === undefined ? 'no coroutine' : coroutineName(process.mill.census.id(process.running));
}

/** Goes to the instruction that writes something next: it is the one that comes next then. */
function toNextWrite(controls: Controls, words: readonly string[]): Promise<void> {
  const { session } = controls;
  const watched = writtenBy(controls, words);
  const bytes = watched.kind === 'register' ? undefined : bytesOf(session, watched);
  return controls.move(
    async (options) => {
      // The write that is about to happen is where one is already.
      await session.step(1, options);
      const found =
        watched.kind === 'register'
          ? await session.nextChange(watched.register, options)
          : bytes !== undefined && (await session.nextWrite(bytes.address, bytes.size, options));
      if (found) await session.stepBack(1, options);
      return found;
    },
    `${watchedText(watched)} is not written any more: this is the end`,
  );
}

/** Goes back to the instruction that has written something last. */
function toLastWrite(controls: Controls, words: readonly string[]): Promise<void> {
  const { session } = controls;
  const watched = writtenBy(controls, words);
  const { moment } = session;
  return controls.move(
    async (options) => {
      const found = await (watched.kind === 'register'
        ? backToRegisterWrite(session, watched, options)
        : backToMemoryWrite(session, watched, options));
      if (!found) await session.go(moment, options);
      return found && `${runningName(session)} wrote ${watchedText(watched)} here`;
    },
    `${watchedText(watched)} was not written before`,
  );
}

async function backToRegisterWrite(
  session: Session,
  watched: Watched & { kind: 'register' },
  options: MoveOptions,
): Promise<boolean> {
  // Here, not above: only who asks is to load it.
  const { why } = await import('../provenance/why.js');
  const { steps } = await why(session, placeOfWatched(session, watched), { ...options, steps: 1 });
  if (steps.length === 0 || steps[0].kind === 'start') return false;
  await session.go(steps[0].moment, options);
  return true;
}

async function backToMemoryWrite(
  session: Session,
  watched: Watched & { kind: 'slot' | 'memory' },
  options: MoveOptions,
): Promise<boolean> {
  if (watched.kind === 'slot') await backToCoroutine(session, watched.coroutine, options);
  const { address, size } = bytesOf(session, watched);
  // What is looked for lies before a moment; a write that has just been made is complete at this one.
  await session.step(1, options);
  const found = await session.previousWrite(address, size, options);
  if (found) await session.stepBack(1, options);
  return found;
}

/** Goes back to where a coroutine has been last, if it is not here. */
async function backToCoroutine(session: Session, id: number, options: MoveOptions): Promise<void> {
  const { process } = session;
  const isHere = (): boolean => process.coroutines().some((cr) => process.mill.census.id(cr) === id);
  // The last switch is from it, and behind its end; the one before is to it.
  while (!isHere() && (await session.previousSwitch(id, options)));
}

/** What is to be written. @throws UsageError */
function writtenBy({ session, subject }: Controls, words: readonly string[]): WatchedValue {
  const watched = words.length > 0 ? watchedOf(session, words) : watchedBy(subject);
  if (watched !== undefined && watched.kind !== 'place') return watched;
  throw new UsageError(
    'written where? select a register (2), a slot (3) or a word (4), or write: write-back slot 2 r12',
  );
}

export const MOVES: readonly Command[] = [
  {
    name: 'step',
    aliases: ['s', 'stepi', 'si'],
    parameters: '[count]',
    help: 'one instruction on',
    run: (controls, words) =>
      controls.move((options) => controls.session.step(count(words), options), '', controls.view.moment + count(words)),
  },
  {
    name: 'back',
    aliases: ['reverse-stepi', 'rsi', 'reverse-step', 'rs'],
    parameters: '[count]',
    help: 'one instruction back',
    run: (controls, words) => controls.move((options) => controls.session.stepBack(count(words), options)),
  },
  {
    name: 'over',
    aliases: ['n', 'next', 'nexti', 'ni'],
    parameters: '',
    help: 'one instruction on, a call as one',
    run: (controls) => controls.move((options) => controls.session.stepOver(options)),
  },
  {
    name: 'over-back',
    aliases: ['reverse-nexti', 'rni', 'reverse-next', 'rn'],
    parameters: '',
    help: 'one instruction back, a call as one',
    run: (controls) => controls.move((options) => controls.session.stepOverBack(options)),
  },
  {
    name: 'out',
    aliases: ['finish', 'fin'],
    parameters: '',
    help: 'out of this function, to where it has returned',
    run: (controls) => controls.move((options) => controls.session.stepOut(options)),
  },
  {
    name: 'out-back',
    aliases: ['reverse-finish'],
    parameters: '',
    help: 'back to the call of this function',
    run: (controls) => controls.move((options) => controls.session.stepOutBack(options)),
  },
  {
    name: 'line',
    aliases: [],
    parameters: '',
    help: 'to the next line of the source',
    run: (controls) => controls.move((options) => controls.session.stepLine(options)),
  },
  {
    name: 'line-back',
    aliases: [],
    parameters: '',
    help: 'back to where the line before began',
    run: (controls) => controls.move((options) => controls.session.stepLineBack(options)),
  },
  {
    name: 'run',
    aliases: ['c', 'continue', 'r'],
    parameters: '',
    help: 'on to the next breakpoint or watchpoint, or to the end',
    run: (controls) => controls.move((options) => controls.session.run(options), 'no breakpoint came: this is the end'),
  },
  {
    name: 'run-back',
    aliases: ['rc', 'reverse-continue'],
    parameters: '',
    help: 'back to the last breakpoint or watchpoint, or to the start',
    run: (controls) =>
      controls.move((options) => controls.session.runBack(options), 'no breakpoint came: this is the start'),
  },
  {
    name: 'switch',
    aliases: [],
    parameters: '[coroutine]',
    help: 'to the next switch, from or to that coroutine',
    run: (controls, words) =>
      controls.move(
        (options) => controls.session.nextSwitch(words.length === 0 ? undefined : coroutineId(words[0]), options),
        'there is no switch any more: this is the end',
      ),
  },
  {
    name: 'switch-back',
    aliases: [],
    parameters: '[coroutine]',
    help: 'to the last switch before',
    run: (controls, words) =>
      controls.move(
        (options) => controls.session.previousSwitch(words.length === 0 ? undefined : coroutineId(words[0]), options),
        'there was no switch before: this is the start',
      ),
  },
  {
    name: 'own-switch',
    aliases: [],
    parameters: '',
    help: 'to the next switch from or to the coroutine of the ctx pane',
    run: (controls) => {
      const coroutine = coroutineOf(controls, []);
      return controls.move(
        (options) => controls.session.nextSwitch(coroutine, options),
        'it is not switched any more: this is the end',
      );
    },
  },
  {
    name: 'own-switch-back',
    aliases: [],
    parameters: '',
    help: 'to the last one before',
    run: (controls) => {
      const coroutine = coroutineOf(controls, []);
      return controls.move(
        (options) => controls.session.previousSwitch(coroutine, options),
        'it was not switched before: this is the start',
      );
    },
  },
  {
    name: 'operation',
    aliases: [],
    parameters: '[channel]',
    help: 'to the next operation on a channel',
    run: (controls, words) => {
      const channel = channelOf(controls, words);
      return controls.move(
        (options) => controls.session.nextOperation(channel, options),
        `nothing is done with <${channel}> any more: this is the end`,
      );
    },
  },
  {
    name: 'operation-back',
    aliases: [],
    parameters: '[channel]',
    help: 'to the last one before',
    run: (controls, words) => {
      const channel = channelOf(controls, words);
      return controls.move(
        (options) => controls.session.previousOperation(channel, options),
        `nothing was done with <${channel}> before: this is the start`,
      );
    },
  },
  {
    name: 'write',
    aliases: [],
    parameters: '[what]',
    help: 'to the instruction that writes it next: slot 2 r12, rbx, 0x401000 8',
    run: toNextWrite,
  },
  {
    name: 'write-back',
    aliases: [],
    parameters: '[what]',
    help: 'back to the instruction that wrote it last',
    run: toLastWrite,
  },
  {
    name: 'to',
    aliases: ['until', 'u', 'advance'],
    parameters: 'place',
    help: 'on to a place: worker, worker+4, file.c:12, 0x400123',
    run: (controls, words) => {
      const place = placeOf(words);
      return controls.move((options) => controls.session.to(place, options), `${place} is not reached any more`);
    },
  },
  {
    name: 'back-to',
    aliases: [],
    parameters: 'place',
    help: 'back to it',
    run: (controls, words) => {
      const place = placeOf(words);
      return controls.move((options) => controls.session.backTo(place, options), `${place} was not reached before`);
    },
  },
  {
    name: 'at',
    aliases: ['goto'],
    parameters: 'moment',
    help: 'to a moment; its number alone will do',
    run: (controls, words) => {
      if (words.length === 0) throw new UsageError('to which moment? write its number');
      const moment = numberOf(words[0], 'moment');
      return controls.move(
        async (options) => {
          await controls.session.go(moment, options);
          return controls.session.moment === moment;
        },
        `the run has no moment ${moment}: this is the end`,
        moment,
      );
    },
  },
  {
    name: 'start',
    aliases: [],
    parameters: '',
    help: 'to the start of the run',
    run: (controls) => controls.move((options) => controls.session.go(0, options)),
  },
  {
    name: 'end',
    aliases: [],
    parameters: '',
    help: 'to its end',
    run: (controls) => controls.move((options) => controls.session.go(Number.POSITIVE_INFINITY, options)),
  },
];
