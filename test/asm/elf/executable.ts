import type { Image } from '../../../asm/image.js';

const PAGE = 4096;
const FLAGS: Readonly<Record<string, number>> = { '.text': 5, '.rodata': 4, '.data': 6, '.bss': 6 };

/** An image as a file that Linux executes: an ELF64 header, a PT_LOAD header for each section, and the sections. */
export function executable(image: Image, entry: bigint): Uint8Array {
  const { sections } = image;
  const offsets: number[] = [];
  let end = PAGE;
  for (const { bytes } of sections) {
    offsets.push(end);
    end = Math.ceil((end + bytes.length) / PAGE) * PAGE;
  }
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const halves: readonly [number, number][] = [
    [16, 2], // ET_EXEC
    [18, 62], // EM_X86_64
    [20, 1],
    [52, 64],
    [54, 56],
    [56, sections.length],
  ];
  for (const [at, value] of halves) view.setUint16(at, value, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, 64n, true);
  sections.forEach(({ name, address, size, bytes }, number) => {
    const at = 64 + 56 * number;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, FLAGS[name], true);
    const fields = [offsets[number], address, address, bytes.length, size, PAGE];
    fields.forEach((value, field) => {
      view.setBigUint64(at + 8 + 8 * field, BigInt(value), true);
    });
    file.set(bytes, offsets[number]);
  });
  return file;
}
