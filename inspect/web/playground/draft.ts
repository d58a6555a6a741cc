import type { Source } from '../../../asm/statement.js';
import type { LinkedFile, LinkedRun } from '../../link/linked-run.js';
import type { Outcome } from '../protocol.js';
import type { WorkshopRequests } from '../workshop/protocol.js';

/** The sources of the runtime that can be edited here: the switch itself. */
const SWITCH = ['mill_setjmp.s', 'mill_longjmp.s'] as const;

/** Whether a source is one of them. */
export function isSwitch({ name }: Pick<Source, 'name'>): boolean {
  return SWITCH.some((one) => one === name);
}

/** A file as the editor has it. */
export interface Tab {
  readonly name: string;
  readonly text: string;
  /** A source of the runtime, and not of the program. */
  readonly isRuntime: boolean;
  /** Its text is another than at the beginning. */
  readonly isEdited: boolean;
  /** C is only to be read here: there is no compiler. */
  readonly isFixed: boolean;
}

/** The files of a run that have text, and the switch. */
export function tabsOf(run: LinkedRun, opened: LinkedRun, shipped: readonly Source[]): Tab[] {
  const own = run.files.filter((file) => 'text' in file);
  const tab = (isRuntime: boolean, original: readonly LinkedFile[]) => {
    return ({ name, text }: Source): Tab => {
      const isEdited = original.some((one) => one.name === name && 'text' in one && one.text !== text);
      return { name, text, isRuntime, isEdited, isFixed: /\.[ch]$/.test(name) };
    };
  };
  return [...own.map(tab(false, opened.files)), ...switchOf(run.runtime, shipped).map(tab(true, shipped))];
}

/** A run with another text in a file. @param shipped the runtime's sources as they are */
export function edited(run: LinkedRun, shipped: readonly Source[], name: string, text: string): LinkedRun {
  if (run.files.some((file) => file.name === name)) {
    return {
      ...run,
      files: run.files.map((file) => (file.name === name && 'text' in file ? { ...file, text } : file)),
    };
  }
  const others = run.runtime.filter((source) => source.name !== name);
  const isShipped = shipped.some((source) => source.name === name && source.text === text);
  return { ...run, runtime: isShipped ? others : [...others, { name, text }] };
}

/** Both texts of the switch, edited or not. */
export function switchOf(runtime: readonly Source[], shipped: readonly Source[]): Source[] {
  const texts = SWITCH.map((name) => [...runtime, ...shipped].find((source) => source.name === name));
  return texts.filter((source) => source !== undefined);
}

/** Whether two runs are the same but for their moments. */
export function isSameRun(one: LinkedRun, other: LinkedRun): boolean {
  return one === other || textOf({ ...one, moment: 0 }) === textOf({ ...other, moment: 0 });
}

/** Whether what two runs print and how they end is the same. */
export function isSameOutcome(one: Outcome, other: Outcome): boolean {
  const told = ({ output, ending }: Outcome): string => textOf({ lines: output.lines, ending });
  return told(one) === told(other);
}

/** Ids of the clauses that a switch does not keep. */
export function clausesLost(measured: WorkshopRequests['measure']['reply']): string[] {
  if (measured.kind === 'problems') return [];
  return measured.clauses.filter(({ verdict }) => verdict === 'lost').map(({ id }) => id);
}

function textOf(data: object): string {
  return JSON.stringify(data, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
}
