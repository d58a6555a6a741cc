import { PAGE_SIZE } from '../../emu/memory.js';
import type { SavedMemory } from '../../emu/saved-memory.js';
import { CTX_SLOTS, MILL_CR, offsets } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { framesOf } from '../survey.js';

const CR = offsets(MILL_CR);
const WORD = 8;
const TABLE_REACH = PAGE_SIZE * 512;

/** A word of a coroutine's memory. */
export interface StackWord {
  readonly address: number;
  readonly value: bigint;
  /** Behind the next instruction; undefined if nothing comes next. */
  readonly after: bigint | undefined;
  /** What is known of it: where it returns to, which field it is; or nothing. */
  readonly note: string;
}

/** A coroutine's memory, low to high: guard page, stack, valbuf, mill_cr. Main's last two are elsewhere. */
export interface StackView {
  /** Its id. */
  readonly coroutine: number;
  readonly guard: number;
  readonly low: number;
  /** The end of the stack, where the valbuf begins. */
  readonly high: number;
  /** Where the mill_cr is, behind the valbuf; undefined for main. */
  readonly cr: number | undefined;
  /** Behind the mill_cr: the end of the block. */
  readonly end: number;
  /** Where the stack begins to be in use; outside of it while the guest has not come there, or has left it. */
  readonly rsp: number;
  /** Whether that is the register, or what the ctx holds. */
  readonly rspIs: 'register' | 'saved';
  /**
   * How far down this memory was ever used, also by a coroutine before this one: the lowest byte that is not zero, or rsp.
   */
  readonly highWater: number;
  /** From rsp upwards, and a few below it. */
  readonly words: readonly StackWord[];
}

/** What {@link stackView} shows the words of. */
export interface StackExtent {
  readonly coroutine: number;
  readonly cr: number;
  readonly rsp: number;
  readonly rspIs: 'register' | 'saved';
  readonly low: number;
  readonly high: number;
  readonly first: number;
  readonly count: number;
}

/** Words below rsp that are shown: where the next push and the red zone are. */
const BELOW = 2;

/**
 * Which words to read for a coroutine's stack.
 * @param most words
 * @throws UsageError if there is no coroutine with this id
 */
export function stackExtent(process: Process, id: number, cr: number, most: number): StackExtent {
  const { low, high } = process.mill.coroutines.stackOf(cr);
  const { memory } = process.cpu;
  const isIn = (rsp: number): boolean => rsp >= low && rsp <= high;
  const here = Number(process.cpu.read('rsp'));
  const saved = memory.pointer(cr + CR.ctx + CTX_SLOTS.indexOf('rsp') * WORD);
  // While it is being restored, the register is still that of the one before. Who runs may be on a stack of its own making.
  const rspIs = isIn(here) || (cr === process.running && !isIn(saved)) ? 'register' : 'saved';
  const rsp = rspIs === 'register' ? here : saved;
  const words = { coroutine: id, cr, rsp, rspIs, low, high } as const;
  const below = (top: number): number => Math.floor(top / WORD) * WORD - BELOW * WORD;
  const isMapped = (at: number): boolean => memory.protectionAt(at) !== undefined;
  if (rspIs === 'register' && !isIn(rsp) && isMapped(below(rsp)) && isMapped(rsp)) {
    const first = below(rsp);
    let count = 0;
    while (count < most && isMapped(first + count * WORD + WORD - 1)) count++;
    return { ...words, first, count };
  }
  const first = Math.max(low, below(isIn(rsp) ? rsp : high));
  const end = cr === process.mill.coroutines.main ? high : cr + MILL_CR.size;
  return { ...words, first, count: Math.max(0, Math.min(most, Math.floor((end - first) / WORD))) };
}

/** The words of an extent. */
export function readWords(process: Process, { first, count }: StackExtent): bigint[] {
  return Array.from({ length: count }, (_, index) => process.cpu.memory.u64(first + index * WORD));
}

/**
 * @param words of {@link readWords}, now and behind the next instruction
 * @param memory as saved at this moment, which knows what has been touched
 */
export function stackView(
  process: Process,
  { coroutine, cr, rsp, rspIs, low, high, first }: StackExtent,
  words: { readonly now: readonly bigint[]; readonly after: readonly bigint[] | undefined },
  memory: SavedMemory,
): StackView {
  const isMain = cr === process.mill.coroutines.main;
  // From outside of the stack there is nothing to follow, and all of it would be read.
  const top = rsp >= low && rsp <= high ? rsp : high;
  const returns = new Map(framesOf(process, coroutine, top).map(({ address, returnsTo }) => [address, returnsTo]));
  return {
    coroutine,
    guard: low - PAGE_SIZE,
    low,
    high,
    cr: isMain ? undefined : cr,
    end: isMain ? high : cr + MILL_CR.size,
    rsp,
    rspIs,
    highWater: Math.min(lowestUsed(memory, low, high), rsp >= low ? rsp : high),
    words: words.now.map((value, index) => {
      const address = first + index * WORD;
      const returnsTo = returns.get(address);
      const note =
        returnsTo === undefined ? fieldAt(address, high, isMain ? undefined : cr) : process.describe(returnsTo);
      return {
        address,
        value,
        after: words.after?.[index],
        note: returnsTo === undefined ? note : `returns to ${note}`,
      };
    }),
  };
}

function fieldAt(address: number, high: number, cr: number | undefined): string {
  if (cr === undefined || address < high) return '';
  if (address < cr) return address === high ? 'valbuf' : '';
  const offset = address - cr;
  if (offset >= CR.ctx && offset < CR.ctx + CTX_SLOTS.length * WORD) {
    const slot = (offset - CR.ctx) / WORD;
    return `mill_cr.ctx[${slot}] ${CTX_SLOTS[slot]}`;
  }
  const field = Object.entries(MILL_CR.fields).find(
    ([, one]) => offset >= one.offset && offset < one.offset + one.size,
  );
  return field === undefined ? '' : `mill_cr.${field[0]}`;
}

/** The lowest byte of a range that is not zero, or its end. */
function lowestUsed({ tables }: SavedMemory, low: number, high: number): number {
  for (let page = low; page < high; page += PAGE_SIZE) {
    const copy = tables[Math.floor(page / TABLE_REACH)]?.pages[(page % TABLE_REACH) / PAGE_SIZE];
    const at = copy?.findIndex((byte) => byte !== 0) ?? -1;
    if (at >= 0) return Math.min(high, page + at);
  }
  return high;
}
