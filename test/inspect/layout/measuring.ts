/** For tests that measure a switch. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type MeasureOptions, measurementsOf } from '../../../inspect/layout/command.js';
import { type LayoutData, layoutData } from '../../../inspect/layout/data.js';
import { layoutOf } from '../../../inspect/layout/layout.js';
import type { Measurement } from '../../../inspect/probe/measure.js';

/** Gone when the tests of a file are over. */
export const folder = mkdtempSync(join(tmpdir(), 'millscope-layout-'));
afterAll(() => rmSync(folder, { recursive: true }));

export const SEQUENCES = ['asm/mill_setjmp.s', 'asm/mill_longjmp.s'];

/** Content in a file of its own. @returns its path */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export function measured(paths: readonly string[], options: Partial<MeasureOptions> = {}): Promise<Measurement[]> {
  return measurementsOf(paths, { archive: [], cc: '', ...options });
}

/** The layouts of all switches in files, as they are kept. */
export async function layouts(paths: readonly string[], options: Partial<MeasureOptions> = {}): Promise<LayoutData[]> {
  return (await measured(paths, options)).map((one) => layoutData(layoutOf(one)));
}

/** The one layout of a file. */
export async function layout(paths: readonly string[], options: Partial<MeasureOptions> = {}): Promise<LayoutData> {
  const [one, ...more] = await layouts(paths, options);
  if (more.length > 0) throw new Error(`${more.length + 1} layouts`);
  return one;
}

/** Slots in a form that is easily written down: where, what is saved, what comes back. */
export function short({ slots }: LayoutData): string[] {
  return slots.map(({ area, offset, size, saved, restored, as, also }) => {
    const place = area === undefined ? `${offset}` : `${area}+${offset}`;
    const content = `${saved ?? '-'}${as === undefined ? '' : ` as ${as}`}`;
    const back = restored === undefined ? '?' : (restored ?? '-');
    return `${place}:${size} ${content} > ${back}${also === undefined ? '' : ` + ${also.join(' ')}`}`;
  });
}
