import { type Command, InvalidArgumentError, Option } from 'commander';
import type { GeneralRegister } from '../../emu/registers.js';
import type { SwitchOptions } from './prepare.js';
import { isGeneralRegister } from './registers.js';

function register(text: string): GeneralRegister {
  const name = text.replace(/^%/, '');
  if (isGeneralRegister(name) && name !== 'rsp') return name;
  throw new InvalidArgumentError('It must be a general register other than rsp.');
}

function registers(text: string): readonly [GeneralRegister, GeneralRegister] {
  const [first, second = first, ...more] = text.split(',');
  if (more.length > 0) throw new InvalidArgumentError('It must be one register, or two with a comma between.');
  return [register(first), register(second)];
}

function number(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number from 1; --probe without one goes behind the files.');
}

/** A command that takes a switch: with the options that say where it is. */
export function withSwitchOptions(command: Command): Command {
  return command
    .option('--save <symbol>', 'a switch in two halves: what saves')
    .option('--restore <symbol>', 'and what restores')
    .option('--switch <symbol>', 'a switch in one routine')
    .option('--ctx <registers>', 'where they get the ctx: to save and to restore, as rdx,rax', registers);
}

/** A command that runs programs: with the options that make it run the probe of a switch instead. */
export function withProbeOptions(command: Command): Command {
  return withSwitchOptions(
    command
      .optionsGroup('Instead of a program, the probe of a switch, as layout and check make it:')
      .option('--probe [number]', 'of the switch in the files; of several inline ones, of this one', number),
  );
}

/** A command that measures switches. */
export function withMeasureOptions(command: Command): Command {
  const shape = new Option('--shape <kind>', 'two halves, or one routine').choices(['jump', 'swap']);
  return withSwitchOptions(command.addOption(shape))
    .option('--from <register>', 'where a routine gets what to save to', register)
    .option('--to <register>', 'and where it gets what to restore', register);
}

/** What makes a run one of a probe. */
export interface ProbeOptions extends Omit<SwitchOptions, 'shape' | 'from' | 'to'> {
  /** Which of several, from 1; true is the first. */
  readonly probe?: number | true;
}

/** Whether a run is one of a probe. */
export function isProbe({ probe, save, switch: swap }: ProbeOptions): boolean {
  return probe !== undefined || save !== undefined || swap !== undefined;
}

/** What has to be said on a command line for the same probe. */
export function probeWords({ probe, save, restore, switch: swap, ctx }: ProbeOptions): string[] {
  const isNamed = save !== undefined || swap !== undefined;
  return [
    ...(probe === undefined || (isNamed && (probe === true || probe === 1)) ? [] : ['--probe']),
    ...(typeof probe === 'number' && probe > 1 ? [`${probe}`] : []),
    ...(save === undefined ? [] : ['--save', save]),
    ...(restore === undefined ? [] : ['--restore', restore]),
    ...(swap === undefined ? [] : ['--switch', swap]),
    ...(ctx === undefined ? [] : ['--ctx', ctx.join(',')]),
  ];
}
