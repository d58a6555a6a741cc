/**
 * Assembles the guest side of the runtime, once, so that running a program that brings no assembly text of its own
 * need not load Keystone. Writes libmill.image.ts beside itself.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { assembleGuestSide, INCLUDED } from './guest-side.js';

const here = new URL('./', import.meta.url);
const load = (name: string) => ({ name, text: readFileSync(new URL(name, here), 'utf8') });

const image = await assembleGuestSide(load);
const includes = Object.fromEntries(INCLUDED.map((name) => [name, load(name).text]));
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
