/**
 * Length and a few properties of one x86-64 instruction, decoded in 64-bit mode.
 *
 * The tables are the opcode maps of the Intel SDM, volume 2, appendix A, reduced to what decides a length: one letter per
 * opcode, sixteen rows of sixteen as printed there. Opcodes of AMD alone (3DNow!, SSE4a, XOP) follow the AMD64 manual,
 * volume 3.
 *
 * A reserved encoding of a known opcode (`lea` of a register, `lock` where it is not allowed, REX before VEX)
 * still has the length that the processor fetches before it raises #UD; only opcodes and opcode extensions which are
 * undefined themselves count as invalid.
 */

/** Mask of the length in bytes, 1 to 15, in what {@link decode} returns; 0 there means no instruction. */
export const LENGTH = 0xf;

/**
 * Control leaves the straight line here, or may: jmp, jcc, call, ret, loop, jrcxz, syscall, sysret, sysenter, sysexit, int n,
 * int3, int1, iret, hlt, rsm, xbegin, xabort and the three ud opcodes.
 *
 * A translator ends its blocks at some others too (`rep` strings, popf, a write of a control register, a page's end), so
 * a block may end without this flag but never goes on after it.
 */
export const ENDS_BLOCK = 1 << 4;

/** A string instruction (movs, stos, lods, cmps, scas, ins, outs) under F2 or F3: one instruction, many iterations. */
export const REPEATS = 1 << 5;

/**
 * Encoded by VEX, EVEX or XOP: AVX and everything after it, among them BMI, FMA and AVX-512. The opcode behind the prefix
 * is not looked up: undefined ones have the length of their neighbours.
 */
export const VECTOR = 1 << 6;

/** pushf, popf and iret: they store or load RFLAGS as an image, the trap flag included. */
export const FLAGS_IMAGE = 1 << 7;

/** Any call: near direct, near indirect or far. {@link ENDS_BLOCK} is set too. */
export const CALL = 1 << 8;

/** The `syscall` instruction. {@link ENDS_BLOCK} is set too. */
export const SYSCALL = 1 << 9;

/** Gives another result on each run: rdtsc, rdtscp, rdpmc, rdpid, rdrand, rdseed. */
export const UNREPEATABLE = 1 << 10;

/** in, out, ins, outs: a process has no ports, and the processor raises #GP. */
export const PORT = 1 << 12;

/** No trap follows, though the trap flag is set: behind a load of ss (SDM, volume 3, 6.8.3), and in Unicorn behind pause. */
export const HIDES_TRAP = 1 << 13;

/** pextrw, which ends Unicorn 1.0 instead of being executed. */
export const UNSOUND = 1 << 14;

/** setcc, rcl and rcr of memory: Unicorn has made an image of the flags when they fault, and forgets that it has. */
export const LOSES_FLAGS = 1 << 15;

/** The bytes end before the instruction does; the length is 0 then, and more bytes may make it valid or not. */
export const TRUNCATED = 1 << 11;

// What follows an opcode. These share the table entries with the flags above and are never returned.
const MODRM = 1 << 16;
const IMM8 = 1 << 17;
const IMM16 = 1 << 18;
/** An immediate of the operand size, but 4 bytes when that is 8 (`Iz` in the SDM). */
const IMMZ = 1 << 19;
/** An immediate of the full operand size (`Iv`). */
const IMMV = 1 << 20;
/** An address of the address size (`Ov`). */
const MOFFS = 1 << 21;
const PREFIX = 1 << 22;
const STRING = 1 << 23;
/** The ModRM byte, or a prefix, decides on more than an addressing mode. */
const GROUP = 1 << 24;
/** A ModRM byte whose mod field the processor ignores: always registers. */
const MODRM_REGISTERS = 1 << 25;
const INVALID = 1 << 26;

const FLAGS =
  ENDS_BLOCK |
  REPEATS |
  VECTOR |
  FLAGS_IMAGE |
  CALL |
  SYSCALL |
  UNREPEATABLE |
  PORT |
  HIDES_TRAP |
  UNSOUND |
  LOSES_FLAGS;

/** With F3; a nop without. */
const PAUSE = 0x90;
/** Third byte of pextrw behind 0F 3A. */
const PEXTRW_3A = 0x15;
/** Number of ss among the segment registers. */
const SS = 2;

const CLASSES: Readonly<Record<string, number>> = {
  '.': 0,
  x: INVALID,
  p: PREFIX,
  M: MODRM,
  B: MODRM | IMM8,
  Z: MODRM | IMMZ,
  R: MODRM_REGISTERS,
  G: MODRM | GROUP,
  b: IMM8,
  w: IMM16,
  z: IMMZ,
  v: IMMV,
  o: MOFFS,
  e: IMM16 | IMM8,
  s: STRING,
  I: STRING | PORT,
  k: IMM8 | PORT,
  q: PORT,
  P: MODRM | IMM8 | UNSOUND,
  f: FLAGS_IMAGE,
  i: FLAGS_IMAGE | ENDS_BLOCK,
  t: UNREPEATABLE,
  '!': ENDS_BLOCK,
  u: MODRM | ENDS_BLOCK,
  n: IMM8 | ENDS_BLOCK,
  r: IMM16 | ENDS_BLOCK,
  j: IMM8 | ENDS_BLOCK,
  J: IMMZ | ENDS_BLOCK,
  C: IMMZ | ENDS_BLOCK | CALL,
  S: ENDS_BLOCK | SYSCALL,
};

function opcodeMap(...rows: string[]): Int32Array {
  return Int32Array.from(rows.join(''), (letter) => CLASSES[letter] ?? INVALID);
}

// 0F, 62, C4, C5 and the XOP half of 8F are taken out before this table is read.
const ONE_BYTE = opcodeMap(
  'MMMMbzxxMMMMbzxx', // 00: add, or
  'MMMMbzxxMMMMbzxx', // 10: adc, sbb
  'MMMMbzpxMMMMbzpx', // 20: and, sub
  'MMMMbzpxMMMMbzpx', // 30: xor, cmp
  'pppppppppppppppp', // 40: REX
  '................', // 50: push, pop
  'xxxMppppzZbBIIII', // 60: movsxd, push, imul, ins, outs
  'jjjjjjjjjjjjjjjj', // 70: jcc
  'BZxBMMMMMMMMMMGG', // 80: group 1, test, xchg, mov, lea, pop
  '..........x.ff..', // 90: xchg, pushf, popf
  'oooossssbzssssss', // a0: mov of an absolute address, strings
  'bbbbbbbbvvvvvvvv', // b0: mov of an immediate
  'BBr!xxGGe.r!!nxi', // c0: shifts, ret, mov, enter, leave, retf, int, iret
  'MMMMxxx.MMMMMMMM', // d0: shifts, xlat, x87
  'jjjjkkkkCJxjqqqq', // e0: loop, in, out, call, jmp
  'p!pp!.GG......GG', // f0: int1, hlt, groups 3 to 5
);

const NONE = 'xxxxxxxxxxxxxxxx';

// 0F 38 and 0F 3A are taken out before this table is read.
const TWO_BYTE = opcodeMap(
  'MGMMxS.!..x!xM.B', // 00: groups 6 and 7, syscall, sysret, ud2, prefetch, 3DNow!
  'MMMMMMMMMMMMMMMM', // 10: movups and kin, hints
  'RRRRxxxxMMMMMMMM', // 20: mov of control and debug registers, movaps and kin
  '.t.t!!x.xxxxxxxx', // 30: wrmsr, rdtsc, rdmsr, rdpmc, sysenter, sysexit, getsec
  'MMMMMMMMMMMMMMMM', // 40: cmovcc
  'MMMMMMMMMMMMMMMM', // 50: SSE
  'MMMMMMMMMMMMMMMM', // 60: SSE
  'BBBBMMM.GMxxMMMM', // 70: shuffles, shifts, emms, extrq, insertq
  'JJJJJJJJJJJJJJJJ', // 80: jcc
  'MMMMMMMMMMMMMMMM', // 90: setcc
  '...MBMxx..!MBMMM', // a0: cpuid, bt, shld, rsm, bts, shrd, fences
  'MMMMMMMMMuBMMMMM', // b0: cmpxchg, movzx, popcnt, ud1, group 8, bsf, bsr, movsx
  'MMBMBPBG........', // c0: xadd, cmpps, pinsrw, pextrw, shufps, group 9, bswap
  'MMMMMMMMMMMMMMMM', // d0: SSE
  'MMMMMMMMMMMMMMMM', // e0: SSE
  'MMMMMMMMMMMMMMMu', // f0: SSE, ud0
);

const THREE_BYTE_38 = opcodeMap(
  'MMMMMMMMMMMMxxxx', // 00: SSSE3
  'MxxxMMxMxxxxMMMx', // 10: blends, ptest, pabs
  'MMMMMMxxMMMMxxxx', // 20: SSE4.1
  'MMMMMMxMMMMMMMMM', // 30: SSE4.1, pcmpgtq
  'MMxxxxxxxxxxxxxx', // 40: pmulld, phminposuw
  NONE,
  NONE,
  NONE,
  'MMMxxxxxxxxxxxxx', // 80: invept, invvpid, invpcid
  NONE,
  NONE,
  NONE,
  'xxxxxxxxMMMMMMxM', // c0: SHA, gf2p8mulb
  'xxxxxxxxMxxMMMMM', // d0: AES, Key Locker
  NONE,
  'MMxxxMMxMMMMMxxx', // f0: movbe, crc32, adcx, adox, stores of many kinds
);

const THREE_BYTE_3A = opcodeMap(
  'xxxxxxxxBBBBBBBB', // 00: rounding, blends, palignr
  'xxxxBBBBxxxxxxxx', // 10: pextr, extractps
  'BBBxxxxxxxxxxxxx', // 20: pinsr, insertps
  NONE,
  'BBBxBxxxxxxxxxxx', // 40: dpps, mpsadbw, pclmulqdq
  NONE,
  'BBBBxxxxxxxxxxxx', // 60: pcmpestr, pcmpistr
  NONE,
  NONE,
  NONE,
  NONE,
  NONE,
  'xxxxxxxxxxxxBxBB', // c0: sha1rnds4, gf2p8affine
  'xxxxxxxxxxxxxxxB', // d0: aeskeygenassist
  NONE,
  'Bxxxxxxxxxxxxxxx', // f0: hreset
);

// The 0F map's opcodes that keep their imm8 under VEX and EVEX; all of the 0F 3A map does, none of the others.
const VECTOR_IMM8 = new Uint8Array(256);
for (const opcode of [0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6]) VECTOR_IMM8[opcode] = 1;

const MAX_LENGTH = 15;

/**
 * Decodes the instruction that starts at `bytes[offset]`, without allocating.
 *
 * @returns its length in bytes ({@link LENGTH}) together with the flags of this file; {@link TRUNCATED} alone if `bytes`
 *   ends too early; 0 if the bytes are no instruction of 64-bit mode or would be longer than 15 bytes.
 *
 * Under 66, near call, jmp, jcc and xbegin take a 16-bit displacement unless REX.W is present. That is AMD's rule, which
 * QEMU (so unicorn) and GNU objdump follow; Intel's processors ignore the prefix there.
 */
export function decode(bytes: Uint8Array, offset: number): number {
  const end = Math.min(bytes.length, offset + MAX_LENGTH);
  const cut = bytes.length < offset + MAX_LENGTH ? TRUNCATED : 0;
  let at = offset;
  let narrow = false;
  let shortAddress = false;
  let repeat = 0;
  let rex = 0;
  let opcode: number;
  let entry: number;

  for (;;) {
    if (at >= end) return cut;
    opcode = bytes[at++];
    entry = ONE_BYTE[opcode];
    if ((entry & PREFIX) === 0) break;
    // A REX prefix counts only right before the opcode.
    rex = 0;
    if ((opcode & 0xf0) === 0x40) rex = opcode;
    else if (opcode === 0x66) narrow = true;
    else if (opcode === 0x67) shortAddress = true;
    else if (opcode >= 0xf2) repeat = opcode;
  }
  const wide = (rex & 8) !== 0;
  const twoBytes = opcode === 0x0f;

  if (opcode === 0x0f) {
    if (at >= end) return cut;
    opcode = bytes[at++];
    if (opcode === 0x38 || opcode === 0x3a) {
      if (at >= end) return cut;
      entry = (opcode === 0x38 ? THREE_BYTE_38 : THREE_BYTE_3A)[bytes[at]];
      if (opcode === 0x3a && bytes[at] === PEXTRW_3A) entry |= UNSOUND;
      at++;
    } else {
      entry = TWO_BYTE[opcode];
      if ((entry & GROUP) !== 0) {
        if (at >= end) return cut;
        entry = twoByteGroup(opcode, bytes[at], narrow, repeat);
      }
    }
  } else if (opcode === 0x62 || opcode === 0xc4 || opcode === 0xc5) {
    return vector(bytes, offset, at, end, cut, opcode);
  } else if ((entry & GROUP) !== 0) {
    if (at >= end) return cut;
    const modrm = bytes[at];
    if (opcode === 0x8f && (modrm & 0x1f) >= 8) {
      return vector(bytes, offset, at, end, cut, opcode);
    }
    entry = oneByteGroup(opcode, modrm);
  } else if ((entry & STRING) !== 0 && repeat !== 0) {
    entry |= REPEATS;
  } else if (opcode === PAUSE && repeat === 0xf3) {
    entry |= HIDES_TRAP;
  }
  if ((entry & INVALID) !== 0) return 0;

  if ((entry & MODRM) !== 0) {
    if (losesFlags(twoBytes, opcode, bytes[at])) entry |= LOSES_FLAGS;
    at = afterModrm(bytes, at, end);
    if (at === 0) return cut;
  } else if ((entry & MODRM_REGISTERS) !== 0) at++;
  if ((entry & IMM8) !== 0) at++;
  if ((entry & IMM16) !== 0) at += 2;
  if ((entry & IMMZ) !== 0) at += narrow && !wide ? 2 : 4;
  if ((entry & IMMV) !== 0) at += wide ? 8 : narrow ? 2 : 4;
  if ((entry & MOFFS) !== 0) at += shortAddress ? 4 : 8;
  return at > end ? cut : (entry & FLAGS) | (at - offset);
}

/** Where the ModRM byte at `at`, its SIB byte and its displacement end, maybe behind `end`; 0 if `end` cuts the first two. */
function afterModrm(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return 0;
  const modrm = bytes[at++];
  const mod = modrm >> 6;
  if (mod === 3) return at;
  let base = modrm & 7;
  if (base === 4) {
    if (at >= end) return 0;
    base = bytes[at++] & 7;
  }
  if (mod === 1) at += 1;
  else if (mod === 2 || base === 5) at += 4;
  return at;
}

function losesFlags(twoBytes: boolean, opcode: number, modrm: number): boolean {
  if (modrm >= 0xc0) return false;
  if (twoBytes) return (opcode & 0xf0) === 0x90;
  const isShift = (opcode & 0xfc) === 0xd0 || (opcode & 0xfe) === 0xc0;
  return isShift && (modrm & 0x30) === 0x10;
}

/** The table entry of an opcode of the one-byte map whose ModRM byte chooses the instruction. */
function oneByteGroup(opcode: number, modrm: number): number {
  const reg = (modrm >> 3) & 7;
  switch (opcode) {
    case 0x8e: // mov to a segment register
      return reg === SS ? MODRM | HIDES_TRAP : MODRM;
    case 0x8f: // pop
      return reg === 0 ? MODRM : INVALID;
    case 0xc6: // mov, xabort
      return reg === 0 ? MODRM | IMM8 : modrm === 0xf8 ? MODRM | IMM8 | ENDS_BLOCK : INVALID;
    case 0xc7: // mov, xbegin
      return reg === 0 ? MODRM | IMMZ : modrm === 0xf8 ? MODRM | IMMZ | ENDS_BLOCK : INVALID;
    case 0xf6: // group 3: only test, /0 and its alias /1, has an immediate
      return reg < 2 ? MODRM | IMM8 : MODRM;
    case 0xf7:
      return reg < 2 ? MODRM | IMMZ : MODRM;
    case 0xfe: // group 4: inc, dec
      return reg < 2 ? MODRM : INVALID;
    default: // group 5: inc, dec, call, far call, jmp, far jmp, push
      if (reg === 7) return INVALID;
      if (reg === 2 || reg === 3) return MODRM | ENDS_BLOCK | CALL;
      return reg === 4 || reg === 5 ? MODRM | ENDS_BLOCK : MODRM;
  }
}

/** The table entry of an opcode of the 0F map whose ModRM byte or prefix chooses the instruction. */
function twoByteGroup(opcode: number, modrm: number, narrow: boolean, repeat: number): number {
  switch (opcode) {
    case 0x01: // group 7, of which only rdtscp matters
      return modrm === 0xf9 ? MODRM | UNREPEATABLE : MODRM;
    case 0x78: // vmread; of registers under 66 or F2 the extrq and insertq of SSE4a, with two imm8
      return modrm >= 0xc0 && (repeat === 0xf2 || (narrow && repeat === 0)) ? MODRM | IMM16 : MODRM;
    default: // group 9: rdrand, rdseed and rdpid are the register forms of /6 and /7
      return modrm >= 0xf0 ? MODRM | UNREPEATABLE : MODRM;
  }
}

/** Decodes on from `at`, behind the first byte of a VEX (C4, C5), EVEX (62) or XOP (8F) prefix; returns what `decode` does. */
function vector(bytes: Uint8Array, offset: number, at: number, end: number, cut: number, prefix: number): number {
  const payload = prefix === 0xc5 ? 1 : prefix === 0x62 ? 3 : 2;
  if (at + payload >= end) return cut;
  const map = prefix === 0xc5 ? 1 : bytes[at] & (prefix === 0x62 ? 7 : 0x1f);
  const known = prefix === 0x8f ? map <= 10 : (map >= 1 && map <= 3) || (prefix === 0x62 && (map === 5 || map === 6));
  if (!known) return 0;
  // EVEX fixes one bit at 0 and one at 1; the combinations left belong to APX, whose lengths follow other rules.
  if (prefix === 0x62 && ((bytes[at] & 8) !== 0 || (bytes[at + 1] & 4) === 0)) return 0;
  at += payload;
  const opcode = bytes[at++];

  // vzeroupper and vzeroall are the only ones without a ModRM byte.
  if (map !== 1 || opcode !== 0x77) {
    at = afterModrm(bytes, at, end);
    if (at === 0) return cut;
  }
  if (map === 3 || map === 8 || (map === 1 && VECTOR_IMM8[opcode] === 1)) at += 1;
  else if (map === 10) at += 4;
  return at > end ? cut : VECTOR | (at - offset);
}
