import { UndefinedSymbol } from '../../asm/errors.js';
import { nearNames } from '../../asm/near.js';
import {
  PART_NAMES,
  partName,
  type RegisterPart,
  registerPart,
  type TrackedRegister,
} from '../../emu/register-parts.js';
import { CTX_SLOTS, type CtxSlot, MILL_CR, offsets } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { UsageError } from '../errors.js';
import { addressesOf } from '../places.js';
import { coroutineOf } from '../survey.js';
import { memoryName } from './memory-name.js';

/** Bytes of memory. */
export interface MemoryPlace {
  readonly kind: 'memory';
  readonly address: number;
  /** In bytes, 1 to {@link LARGEST}. */
  readonly size: number;
}

/** Where a value is: bytes of a register, or of memory. */
export type Place = { readonly kind: 'register'; readonly part: RegisterPart } | MemoryPlace;

/** Bytes of the largest value that is followed: what an SSE register holds. */
export const LARGEST = 16;

const WORD = 8;
const BITS_OF_BYTE = 8n;

const SIZED = /^(\d+) bytes? at (.+)$/;
const SLOT = /^slot (\w+) of (?:coroutine (\d+)|(main))$/;
/** `8(%rsp)`, as instructions have it, and `rsp+8`, with or without parentheses. */
const INDIRECT = /^(-?(?:0x[0-9a-f]+|\d+))?\(%?(\w+)\)$/i;
const SUM = /^\(?%?(\w+) ?([+-]) ?(0x[0-9a-f]+|\d+)\)?$/i;

/**
 * The place that a person means: a register or its part (`rbx`, `ebx`, `xmm0`), `slot r12 of coroutine 2`, or memory:
 * an address (0x…), a symbol, `symbol+8`, `rsp+8`, `8(%rsp)`; eight bytes of it, or as many as in `4 bytes at symbol`.
 * @throws UsageError or UndefinedSymbol if there is no such place at this moment
 */
export function placeOf(process: Process, text: string): Place {
  const sized = SIZED.exec(text);
  const size = sized === null ? WORD : Number(sized[1]);
  if (size < 1 || size > LARGEST) throw new UsageError(`${size} bytes are no value: ask for 1 to ${LARGEST}`);
  const where = sized?.[2] ?? text;
  const part = registerPart(where.replace(/^%/, ''));
  if (part !== undefined) {
    if (sized !== null)
      throw new UsageError(`${where} is a register and no address: (${where}) is the memory it points to`);
    return { kind: 'register', part };
  }
  const place = { kind: 'memory', address: addressOf(process, where), size } as const;
  for (const at of [place.address, place.address + size - 1]) {
    if (process.cpu.memory.protectionAt(at) === undefined) {
      throw new UsageError(`nothing is mapped at 0x${at.toString(16)} at moment ${process.cpu.moment}`);
    }
  }
  return place;
}

/**
 * The address that a person means: see {@link placeOf}; whether anything is mapped there is not asked.
 * @throws UsageError or UndefinedSymbol if there is none at this moment
 */
export function addressOf(process: Process, text: string): number {
  const slot = SLOT.exec(text);
  if (slot !== null) return slotAddress(process, slot[1], Number(slot[2] ?? 0));
  const [, before, base] = INDIRECT.exec(text) ?? [];
  if (base !== undefined) return baseValue(process, base) + Number(before ?? 0);
  const [, register, sign, distance] = SUM.exec(text) ?? [];
  if (register !== undefined && registerPart(register) !== undefined) {
    return baseValue(process, register) + Number(`${sign}1`) * Number(distance);
  }
  try {
    return addressesOf(process, text)[0];
  } catch (error) {
    // What stands alone may have been meant for a register.
    if (!(error instanceof UndefinedSymbol)) throw error;
    const symbols = process.images.flatMap((image) => [...image.symbols.keys()]);
    throw new UndefinedSymbol(text, nearNames(text, [...PART_NAMES, ...symbols]));
  }
}

function baseValue(process: Process, name: string): number {
  const part = registerPart(name);
  if (part !== undefined && part.size === WORD) return Number(process.cpu.read(part.register));
  const near = nearNames(name, PART_NAMES);
  throw new UsageError(
    `${name} is no register that holds an address${near.length > 0 ? `: did you mean ${near.join(', ')}?` : ''}`,
  );
}

function slotAddress(process: Process, name: string, coroutine: number): number {
  const index = /^\d+$/.test(name) ? Number(name) : CTX_SLOTS.indexOf(name as CtxSlot);
  if (CTX_SLOTS[index] === undefined)
    throw new UsageError(`a ctx has no slot ${name}: its slots are ${CTX_SLOTS.join(', ')}`);
  return coroutineOf(process, coroutine) + offsets(MILL_CR).ctx + index * WORD;
}

/** A place in words: what it is in libmill's memory where that is known. Valid at the moment at which it is asked for. */
export function placeText(process: Process, place: Place): string {
  return place.kind === 'register' ? partName(place.part) : memoryName(process, place.address, place.size);
}

/** How to ask for a place: what {@link placeOf} understands. */
export function placeQuery(process: Process, place: Place): string {
  if (place.kind === 'register') return partName(place.part);
  const name = memoryName(process, place.address, place.size);
  if (place.size === WORD && SLOT.test(name)) return name;
  const address = `0x${place.address.toString(16)}`;
  return place.size === WORD ? address : `${place.size} bytes at ${address}`;
}

/** What a place holds, the lowest byte first; undefined for memory that is not there. */
export function valueAt({ cpu }: Process, place: Place): bigint | undefined {
  if (place.kind === 'register') {
    const { register, offset, size } = place.part;
    return BigInt.asUintN(size * 8, cpu.read(register) >> (BigInt(offset) * BITS_OF_BYTE));
  }
  const { address, size } = place;
  if ([address, address + size - 1].some((at) => cpu.memory.protectionAt(at) === undefined)) return undefined;
  return cpu.memory.read(address, size).reduceRight((value, byte) => (value << BITS_OF_BYTE) | BigInt(byte), 0n);
}

/** All of a register. */
export function wholeRegister(register: TrackedRegister): Place {
  return { kind: 'register', part: { register, offset: 0, size: register.startsWith('xmm') ? LARGEST : WORD } };
}

/** Some bytes of a place, from its lowest one plus `offset` on. */
export function within(place: Place, offset: number, size: number): Place {
  if (place.kind === 'memory') return { ...place, address: place.address + offset, size };
  return { kind: 'register', part: { ...place.part, offset: place.part.offset + offset, size } };
}

/** How many bytes. */
export function sizeOf(place: Place): number {
  return place.kind === 'memory' ? place.size : place.part.size;
}

/**
 * How far the lowest byte of `inner` is above that of `outer`; undefined if they have no byte in common.
 */
export function distance(outer: Place, inner: Place): number | undefined {
  let far: number | undefined;
  if (outer.kind === 'memory' && inner.kind === 'memory') far = inner.address - outer.address;
  else if (outer.kind === 'register' && inner.kind === 'register' && outer.part.register === inner.part.register) {
    far = inner.part.offset - outer.part.offset;
  }
  if (far === undefined || far >= sizeOf(outer) || far + sizeOf(inner) <= 0) return undefined;
  return far;
}
