import { layoutOf } from '../layout/layout.js';
import type { Measurement } from '../probe/measure.js';
import { type Clause, clausesOf } from './clauses.js';
import { type AsmStatement, statementOf } from './declared.js';

/** The bytes of an inline save; undefined if it is called. */
function sequenceOf({ code: { image, save } }: Measurement): Uint8Array | undefined {
  const section = image.sectionAt(BigInt(save.start));
  if (save.end === undefined || section === undefined) return undefined;
  const start = save.start - Number(section.address);
  return section.bytes.subarray(start, start + save.end - save.start);
}

/**
 * Holds a switch to the contract: what a function has to keep by the System V ABI, and what an `asm` statement promises.
 * @param statements of the headers that are known; the one with the save's own instructions counts
 */
export async function check(measurement: Measurement, statements: readonly AsmStatement[]): Promise<Clause[]> {
  const code = sequenceOf(measurement);
  const statement = code === undefined ? undefined : await statementOf(statements, code);
  return clausesOf(layoutOf(measurement), { statement });
}
