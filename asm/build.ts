/**
 * Assembles the guest side of the runtime, once, so that running a program that brings no assembly text of its own
 * need not load Keystone. Writes libmill.image.ts beside itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { assemble } from './assembler.js';

/** Below where programs go, and above the pages that catch NULL pointers. */
const BASE = 0x100000n;
const SOURCES = ['libmill.s', 'libc.s', 'stdio.s', 'stdlib.s', 'search.s', 'unistd.s', 'host.s', 'bodies.s'];
/** What guest programs may include by name. */
const INCLUDES = ['libmill.inc', 'doors.inc', 'mill_setjmp.s', 'mill_longjmp.s'];

const here = new URL('./', import.meta.url);
const load = (name: string) => ({ name, text: readFileSync(new URL(name, here), 'utf8') });

const image = await assemble(SOURCES.map(load), {
  base: BASE,
  include: (name) => (INCLUDES.includes(name) ? load(name) : undefined),
});
const includes = Object.fromEntries(INCLUDES.map((name) => [name, load(name).text]));
writeFileSync(
  new URL('libmill.image.ts', here),
  [
    '// Made by asm/build.ts from the .s files beside it: do not edit.',
    "import type { ImageJson } from './image.js';",
    '',
    `export const LIBMILL_IMAGE: ImageJson = ${JSON.stringify(image.toJSON())};`,
    '',
    `export const INCLUDES: Readonly<Record<string, string>> = ${JSON.stringify(includes)};`,
    '',
  ].join('\n'),
);
