import { nearNames } from '../asm/near.js';
import type { Process } from '../runtime/process.js';
import { UsageError } from './errors.js';

/** `symbol`, `symbol+4`, `symbol+0x4`. */
const SYMBOL = /^([A-Za-z_.$][\w.$]*)(?:\+(0x[0-9a-f]+|\d+))?$/i;
const ADDRESS = /^(0x[0-9a-f]+)$/i;
/** `file.c:12`, of which the file may have folders in front of it. */
const LINE = /^(.+):(\d+)$/;

/**
 * The addresses that a person means: an address in hexadecimal, a symbol with or without an offset, or a line, which may
 * have code in several places.
 * @throws UsageError if there is no such place
 */
export function addressesOf(process: Process, place: string): number[] {
  if (ADDRESS.test(place)) return [Number(place)];
  const line = LINE.exec(place);
  if (line !== null) return addressesOfLine(process, line[1], Number(line[2]));
  const symbol = SYMBOL.exec(place);
  if (symbol === null) {
    throw new UsageError(`${place} is no place in a program: write an address (0x…), a symbol, or file:line`);
  }
  // The error of a symbol that is not there brings near names with it.
  return [Number(process.symbol(symbol[1])) + Number(symbol[2] ?? 0)];
}

function addressesOfLine(process: Process, file: string, line: number): number[] {
  const all = process.images.flatMap(({ lines }) => lines);
  const isMeant = (name: string): boolean => name === file || name.endsWith(`/${file}`);
  const files = [...new Set(all.map((one) => one.file))];
  if (!files.some(isMeant)) {
    const near = nearNames(
      file.replace(/.*\//, ''),
      files.map((one) => one.replace(/.*\//, '')),
    );
    const hint =
      near.length > 0
        ? `: did you mean ${near.join(', ')}?`
        : ' (an object says where its code is from if it is compiled with -g)';
    throw new UsageError(`the program has no code from a file ${file}${hint}`);
  }
  const here = all.filter((one) => one.line === line && isMeant(one.file));
  if (here.length === 0) {
    const lines = all.filter((one) => isMeant(one.file)).map((one) => one.line);
    const next = lines.filter((one) => one > line).sort((a, b) => a - b)[0];
    const hint = next === undefined ? '' : `; the next one that has is ${next}`;
    throw new UsageError(`line ${line} of ${file} has no code of its own${hint}`);
  }
  // What goes on in the bytes behind is no new beginning of the line.
  const ends = new Set(here.map(({ end }) => end));
  return here.map(({ start }) => start).filter((start) => !ends.has(start));
}
