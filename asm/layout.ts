import type { Section } from './image.js';
import type { Rendered } from './instruction.js';
import { type Errno, encode } from './keystone.js';
import { BASE_NAME, placeName } from './scope.js';
import { SECTION_NAMES, type SectionName, type Statement } from './statement.js';

/** Sections start at multiples of this many bytes, so that each can have a protection of its own. */
export const PAGE_SIZE = 4096n;

/** A program that Keystone has assembled: its bytes, and where it put each statement. */
export interface Layout {
  readonly sections: readonly Section[];
  /** Of each statement, by its position in the program. */
  readonly starts: readonly number[];
  /** The first address behind each statement. */
  readonly ends: readonly number[];
}

/** Keystone's answer to a program as a whole. */
export type Outcome = { readonly ok: true; readonly layout: Layout } | { readonly ok: false; readonly errno: Errno };

const beginName = (section: SectionName) => `B${section.slice(1)}`;
const endName = (section: SectionName) => `E${section.slice(1)}`;

/**
 * Assembles rendered statements as one program from `base`, which is a multiple of PAGE_SIZE, on. One call of Keystone:
 * it puts a label in front of every statement and appends the table of their addresses, which is read back.
 */
export async function layOut(
  statements: readonly Statement[],
  rendered: readonly Rendered[],
  base: bigint,
): Promise<Outcome> {
  const bySection = SECTION_NAMES.map((name) => {
    const positions = statements.flatMap((statement, at) => (statement.section === name ? [at] : []));
    return { name, positions };
  }).filter(({ positions }) => positions.length > 0);
  const text = [`${BASE_NAME}:`];
  const table: string[] = [];
  for (const { name, positions } of bySection) {
    text.push(`.balign ${PAGE_SIZE}, 0`, `${beginName(name)}:`);
    for (const at of positions) text.push(`${placeName(at)}:`, rendered[at]?.text ?? '');
    text.push(`${endName(name)}:`);
    table.push(beginName(name), ...positions.map(placeName), endName(name));
  }
  if (table.length > 0) text.push(`.long ${table.join(',')}`);
  const encoding = await encode(`${text.join('\n')}\n`, base);
  const tableSize = table.length * 4;
  if (!encoding.ok) return encoding;
  if (encoding.bytes.length < tableSize) return { ok: false, errno: 'nothing' };
  const { bytes } = encoding;
  const view = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - tableSize, tableSize);
  let row = 0;
  const starts: number[] = [];
  const ends: number[] = [];
  const sections = bySection.map(({ name, positions }): Section => {
    const next = () => view.getUint32(4 * row++, true);
    const start = next();
    for (const at of positions) starts[at] = next();
    const end = next();
    positions.forEach((at, index) => {
      ends[at] = starts[positions[index + 1] ?? -1] ?? end;
    });
    const first = start - Number(base);
    const content = name === '.bss' ? new Uint8Array() : bytes.slice(first, first + end - start);
    return { name, address: BigInt(start), size: end - start, bytes: content };
  });
  return { ok: true, layout: { sections: sections.filter(({ size }) => size > 0), starts, ends } };
}
