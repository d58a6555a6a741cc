import { ObjectError } from '../../../asm/elf/errors.js';
import { GENERAL_REGISTERS } from '../../../emu/registers.js';
import { commandOf, type Reading, testOf } from '../../link/copy.js';
import { leanObject } from '../../link/lean.js';
import { writeLink } from '../../link/link.js';
import type { LinkedFile, LinkedRun } from '../../link/linked-run.js';
import { animation } from '../../picture/animation.js';
import { type PictureOptions, picture } from '../../picture/picture.js';
import type { RegisterRow } from '../../view/registers.js';
import type { Scene } from '../../view/scene.js';
import { toPng } from '../png.js';

/** What a moment can be copied as. */
export const COPIES = ['link', 'command', 'test'] as const;
export type Copy = (typeof COPIES)[number];

/**
 * A moment as text.
 * @param registers as they are at the run's moment
 * @param site the page's address
 * @throws RunLinkError if it is too large for a link
 */
export async function textOf(
  what: Copy,
  run: LinkedRun,
  registers: readonly RegisterRow[],
  site: string,
): Promise<string> {
  if (what === 'test') return testOf(run, readingOf(registers));
  const link = `${site}#${await writeLink({ ...run, files: run.files.map(lean) })}`;
  return what === 'link' ? link : commandOf(link);
}

/** An object without what no program is made of; as it is, if it cannot be read. */
function lean(file: LinkedFile): LinkedFile {
  if ('text' in file) return file;
  try {
    return { name: file.name, bytes: leanObject(file.name, file.bytes) };
  } catch (error) {
    if (error instanceof ObjectError) return file;
    throw error;
  }
}

function readingOf(registers: readonly RegisterRow[]): Reading {
  const value = (name: string): bigint => registers.find((row) => row.name === name)?.now ?? 0n;
  const entries = [...GENERAL_REGISTERS, 'rip'].map((name) => [name, value(name)]);
  return Object.fromEntries(entries) as Reading;
}

/** What a moment can be drawn as: a still picture, or the steps that follow it. */
export const PICTURES = ['svg', 'png', 'moving'] as const;
export type PictureKind = (typeof PICTURES)[number];

/** So many steps are in a picture that moves. */
export const STEPS = 24;
/** Pixels of a PNG for each unit of the drawing. */
const SCALE = 2;

/**
 * A picture of a moment as a file.
 * @param scenes the moment, and for one that moves those that follow
 * @throws PngError
 */
export async function pictureFile(kind: PictureKind, scenes: readonly Scene[], options: PictureOptions): Promise<File> {
  const name = `${options.program.replace(/\.\w+$/, '')}-${scenes[0].view.moment}`;
  const svg = kind === 'moving' ? animation(scenes, options) : picture(scenes[0], options);
  if (kind === 'png') return new File([await toPng(svg, SCALE)], `${name}.png`, { type: 'image/png' });
  return new File([svg], `${name}${kind === 'moving' ? '-moving' : ''}.svg`, { type: 'image/svg+xml' });
}
