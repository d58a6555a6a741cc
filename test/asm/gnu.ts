import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether this machine has GNU binutils that know x86_64. */
export const hasGnu: boolean = ['as', 'objcopy', 'objdump'].every((tool) => {
  const { stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return /GNU/.test(stdout ?? '') && process.arch === 'x64';
});

function inDirectory<T>(action: (path: (name: string) => string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'gnu-as-'));
  try {
    return action((name) => join(directory, name));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The .text bytes that GNU as makes of a text. */
export function gnuCode(text: string): Buffer {
  return inDirectory((path) => {
    writeFileSync(path('t.s'), text);
    execFileSync('as', ['-o', path('t.o'), path('t.s')], { stdio: 'pipe' });
    execFileSync('objcopy', ['-O', 'binary', '-j', '.text', path('t.o'), path('t.bin')]);
    return readFileSync(path('t.bin'));
  });
}

/** What objdump makes of code at an address: each instruction's address and text. */
export function disassemble(bytes: Uint8Array, address: number): { address: number; text: string }[] {
  return inDirectory((path) => {
    writeFileSync(path('t.bin'), bytes);
    const options = ['-D', '-z', '-b', 'binary', '-m', 'i386:x86-64', `--adjust-vma=${address}`, path('t.bin')];
    const listing = execFileSync('objdump', options, { encoding: 'utf8', maxBuffer: 1 << 28 });
    return [...listing.matchAll(/^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/gm)].map(([, at = '', text = '']) => {
      return { address: Number.parseInt(at, 16), text: text.trim() };
    });
  });
}
