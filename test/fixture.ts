import { readdirSync, readFileSync } from 'node:fs';
import type { Image } from '../asm/image.js';
import { assembleProgram } from '../inspect/program-image.js';

const PROGRAMS = new URL('../fixtures/programs/', import.meta.url);

/** File names of the guest programs, of one kind or all. */
export function fixturePrograms(ending = ''): string[] {
  return readdirSync(PROGRAMS).filter((name) => /\.(s|mjs)$/.test(name) && name.endsWith(ending));
}

const load = (name: string) => ({ name, text: readFileSync(new URL(name, PROGRAMS), 'utf8') });

/** An assembly program of the fixtures. */
export function loadFixture(name: string): Promise<Image> {
  return assembleProgram(load(name), (included) => (included === 'print_number.inc' ? load(included) : undefined));
}

/** What a program's header comment promises. */
export interface Promised {
  readonly output: string;
  readonly status: number;
}

/** Reads "Prints:" with its indented lines, and "Exit status:", from the comment at the top of a program. */
export function promised(name: string): Promised {
  const lines = readFileSync(new URL(name, PROGRAMS), 'utf8').split('\n');
  const comment = lines.map((line) => line.replace(/^(#|\/\/) ?/, ''));
  const start = comment.indexOf('Prints:') + 1;
  const end = comment.findIndex((line, index) => index >= start && !line.startsWith('  '));
  const status = comment.find((line) => line.startsWith('Exit status: '));
  if (start === 0 || status === undefined) throw new Error(`${name} does not say what it prints and how it ends`);
  const output = comment.slice(start, end).map((line) => `${line.slice(2)}\n`);
  return { output: output.join(''), status: Number(status.slice('Exit status: '.length)) };
}
