import type { MemoryOperand, Operand } from '../../emu/operand.js';
import type { RegisterUse } from '../../emu/register-access.js';
import type { Process } from '../../runtime/process.js';
import { type Place, valueAt } from './place.js';

/** Where an operand of the instruction that comes next is; undefined for what is in no place, as an immediate. */
export function operandPlace(process: Process, use: RegisterUse, operand: Operand | undefined): Place | undefined {
  if (operand?.kind === 'register') return operand;
  if (operand?.kind !== 'memory') return undefined;
  return { kind: 'memory', address: effectiveAddress(process, use, operand), size: operand.size };
}

function effectiveAddress(process: Process, { length }: RegisterUse, operand: MemoryOperand): number {
  const { cpu } = process;
  const { segment, base, index, scale, displacement } = operand;
  let sum = displacement;
  if (segment !== undefined) sum += cpu.read(`${segment}_base`);
  if (base === 'rip') sum += BigInt(cpu.rip + length);
  else if (base !== undefined) sum += valueAt(process, { kind: 'register', part: base }) ?? 0n;
  if (index !== undefined) sum += (valueAt(process, { kind: 'register', part: index }) ?? 0n) * BigInt(scale);
  return Number(BigInt.asUintN(64, sum));
}
