/** Bits of EFLAGS (Intel SDM, volume 1, 3.4.3). */
export const CF = 1;
export const PF = 4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const OF = 0x800;
/** The six status flags. */
export const STATUS = CF | PF | AF | ZF | SF | OF;

/** What an instruction does to the status flags, and which of them it needs (Intel SDM, volume 1, appendix A, and volume 2). */
export interface Effect {
  readonly reads?: number;
  /** Set or cleared in a way that is written down. */
  readonly defines?: number;
  /** Left as the processor likes. */
  readonly undefines?: number;
}

export const NONE: Effect = {};
export const ARITHMETIC: Effect = { defines: STATUS };
export const WITH_CARRY: Effect = { reads: CF, defines: STATUS };
export const LOGIC: Effect = { defines: STATUS & ~AF, undefines: AF };
/** inc and dec leave CF alone. */
export const COUNTING: Effect = { defines: STATUS & ~CF };
export const MULTIPLY: Effect = { defines: CF | OF, undefines: STATUS & ~(CF | OF) };
export const DIVIDE: Effect = { undefines: STATUS };
export const BIT_TEST: Effect = { defines: CF, undefines: OF | SF | AF | PF };
export const BIT_SCAN: Effect = { defines: ZF, undefines: STATUS & ~ZF };
export const ZERO_ONLY: Effect = { defines: ZF };

/** What the conditions 0 to 15 of jcc, setcc and cmovcc depend on. */
export const CONDITIONS: readonly number[] = [OF, CF, ZF, CF | ZF, SF, PF, SF | OF, SF | OF | ZF].flatMap((reads) => [
  reads,
  reads,
]);

/** A shift or rotation as its name says. */
export type Shift = 'rol' | 'ror' | 'rcl' | 'rcr' | 'shl' | 'shr' | 'sar' | 'shld' | 'shrd';

/**
 * What a shift does to the flags.
 * @param size of the operand in bits
 * @param count before it is masked to five bits, or six of a 64-bit operand
 */
export function shiftEffect(shift: Shift, size: number, count: number): Effect {
  const masked = count & (size === 64 ? 63 : 31);
  const carried: Effect = shift === 'rcl' || shift === 'rcr' ? { reads: CF } : {};
  if (masked === 0) return carried;
  // OF is defined for shifts by one only.
  const overflow = masked === 1 ? { defines: OF, undefines: 0 } : { defines: 0, undefines: OF };
  if (shift.startsWith('r')) return { ...carried, defines: CF | overflow.defines, undefines: overflow.undefines };
  // An operand that is shifted away leaves no carry: of 8 and 16 bits only, as others are masked before.
  const noCarry = (shift === 'shl' || shift === 'shr') && masked >= size ? CF : 0;
  const undefines = AF | overflow.undefines | noCarry;
  return { defines: STATUS & ~undefines, undefines };
}
