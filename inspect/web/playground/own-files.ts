import type { LinkedFile } from '../../link/linked-run.js';

/** Bytes of all files together: what is larger is hardly a program for this. */
const MOST_BYTES = 32 << 20;
const TEXTS = /\.(?:s|inc|c|h)$/i;
const ELF = [0x7f, 0x45, 0x4c, 0x46];

/** Why files of somebody's own cannot be opened. */
export type WrongFiles =
  | { readonly kind: 'large'; readonly bytes: number; readonly most: number }
  | { readonly kind: 'unknown'; readonly name: string };

/** Reads what was dropped on the page: objects by how they begin, texts by their names. Nothing leaves the page. */
export async function readFiles(files: readonly File[]): Promise<LinkedFile[] | WrongFiles> {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MOST_BYTES) return { kind: 'large', bytes, most: MOST_BYTES };
  const read: LinkedFile[] = [];
  for (const file of files) {
    const { name } = file;
    const content = new Uint8Array(await file.arrayBuffer());
    if (ELF.every((byte, index) => content[index] === byte)) read.push({ name, bytes: content });
    else if (TEXTS.test(name)) read.push({ name, text: new TextDecoder().decode(content) });
    else return { kind: 'unknown', name };
  }
  return read;
}
