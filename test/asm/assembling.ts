import { type AssembleOptions, assemble } from '../../asm/assembler.js';
import { AssemblyError } from '../../asm/errors.js';
import type { Image } from '../../asm/image.js';
import type { SectionName } from '../../asm/statement.js';

export const BASE = 0x400000n;

/** Lines of a program; each may hold several. */
export const lines = (...text: string[]): string => `${text.join('\n')}\n`;

/** Assembles one source named `file.s` at BASE; `files` can be included. */
export function image(
  text: string,
  files: Readonly<Record<string, string>> = {},
  symbols: AssembleOptions['symbols'] = new Map(),
): Promise<Image> {
  const include = (name: string) => {
    const found = files[name];
    return found === undefined ? undefined : { name, text: found };
  };
  return assemble([{ name: 'file.s', text }], { base: BASE, symbols, include });
}

/** The bytes of a section in hexadecimal; empty if the image has no such section. */
export function sectionHex(from: Image, name: SectionName): string {
  return hex(from.sections.find((section) => section.name === name)?.bytes ?? new Uint8Array());
}

/** The .text bytes of a program, in hexadecimal. */
export async function code(text: string, files?: Readonly<Record<string, string>>): Promise<string> {
  return sectionHex(await image(text, files), '.text');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The error that assembling a program ends in. */
export async function failure(assembling: Promise<Image>): Promise<AssemblyError> {
  try {
    await assembling;
  } catch (error) {
    if (error instanceof AssemblyError) return error;
    throw error;
  }
  throw new Error('the program assembled, and should not have');
}

/** The message of that error, line by line. */
export async function complaints(text: string, files?: Readonly<Record<string, string>>): Promise<string[]> {
  return (await failure(image(text, files))).message.split('\n');
}
