import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { ROOT } from './command.js';

/** A line of a trace, as anybody reads it. */
export interface Line {
  readonly kind: string;
  readonly at: number;
  readonly coroutine: number;
  readonly rip: string;
  readonly bytes: string;
  readonly changed: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export const EVERYTHING = 'instruction,switch,coroutine,channel,transfer,timer,output,process';

export function parseLines(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const schema = JSON.parse(readFileSync(`${ROOT}/inspect/trace/schema.json`, 'utf8'));
const validate = new Ajv({ allowUnionTypes: true, discriminator: false }).compile(schema);

/** The first line that is not as the schema says, and why. */
export function invalidLine(lines: readonly Line[]): unknown {
  for (const line of lines) if (!validate(line)) return { line, errors: validate.errors };
  return undefined;
}

/** The registers at the end of a trace of instructions, by nothing but what is in it. */
export function replay(lines: readonly Line[]): Map<string, bigint> {
  const registers = new Map<string, bigint>();
  const set = (values: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(values)) registers.set(name, BigInt(value));
  };
  for (const { kind, rip, bytes, changed, values, at } of lines) {
    if (kind === 'registers') set(values);
    if (kind !== 'instruction') continue;
    if (BigInt(rip) !== registers.get('rip')) throw new Error(`at ${at} rip is ${rip}, not ${registers.get('rip')}`);
    registers.set('rip', BigInt(rip) + BigInt(bytes.length / 2));
    set(changed);
  }
  return registers;
}
