import { writeSync } from 'node:fs';

/** Nobody reads any more what is written to a pipe. */
export class NobodyReads extends Error {
  override readonly name = 'NobodyReads';
}

/**
 * Writes at once and all of it.
 * @param file a descriptor
 * @throws NobodyReads, or what the system says
 */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(file, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new NobodyReads();
      // A pipe that is full and does not block: its reader needs a moment.
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
