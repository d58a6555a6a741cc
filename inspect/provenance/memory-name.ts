import { CTX_SLOTS, MILL_CHAN, MILL_CR, SLOT_BYTES, type Structure } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { coroutineName } from '../names.js';

const { ctx: CTX, valbuf: VALBUF, valbuf_sz: VALBUF_SIZE } = MILL_CR.fields;

const hexadecimal = (address: number): string => `0x${address.toString(16)}`;

/**
 * What lies at an address, in libmill's words: `slot r12 of coroutine 2`, `stack of main at 0x…`, a symbol; else the
 * address. Valid at the moment at which it is asked for.
 * @param size in bytes, which may be part of what has a name
 */
export function memoryName(process: Process, address: number, size: number): string {
  const { mill, cpu } = process;
  const { census, channelCensus, channels } = mill;
  for (const cr of process.coroutines()) {
    const who = coroutineName(census.id(cr));
    const offset = address - cr;
    if (offset >= 0 && offset < MILL_CR.size) return `${partOfCoroutine(offset, size)} of ${who}`;
    const { low, high } = mill.coroutines.stackOf(cr);
    if (address >= low && address < high) return `stack of ${who} at ${hexadecimal(address)}`;
    const buffer = address - cpu.memory.pointer(cr + VALBUF.offset);
    if (buffer >= 0 && buffer < cpu.memory.pointer(cr + VALBUF_SIZE.offset)) return `valbuf of ${who}${plus(buffer)}`;
    if (address >= high && address < cr && cr - high < MILL_CR.size + high - low) {
      return `valbuf of ${who}${plus(address - high)}`;
    }
  }
  for (const channel of channelCensus.all()) {
    const offset = address - channel;
    const name = `channel <${channelCensus.id(channel)}>`;
    if (offset >= 0 && offset < MILL_CHAN.size) return `${fieldOf(MILL_CHAN, offset)} of ${name}`;
    const element = channels.size(channel);
    const index = Math.floor((offset - MILL_CHAN.size) / element);
    if (index < 0 || index > channels.capacity(channel)) continue;
    const rest = plus((offset - MILL_CHAN.size) % element);
    return index === channels.capacity(channel) ? `last value of ${name}${rest}` : `element ${index} of ${name}${rest}`;
  }
  const image = process.imageAt(BigInt(address));
  const symbol = image?.symbolAt(BigInt(address));
  if (symbol?.name === 'mill_main_valbuf') return `valbuf of main${plus(Number(symbol.offset))}`;
  if (symbol !== undefined) return `${symbol.name}${plus(Number(symbol.offset))}`;
  return `memory at ${hexadecimal(address)}`;
}

function plus(offset: number): string {
  return offset === 0 ? '' : `+${offset}`;
}

function partOfCoroutine(offset: number, size: number): string {
  const inside = offset - CTX.offset;
  if (inside < 0 || inside >= CTX.size) return fieldOf(MILL_CR, offset);
  const slot = CTX_SLOTS[Math.floor(inside / SLOT_BYTES)];
  const rest = inside % SLOT_BYTES;
  return rest === 0 && size <= SLOT_BYTES ? `slot ${slot}` : `slot ${slot}${plus(rest)}`;
}

function fieldOf({ name, fields }: Structure, offset: number): string {
  const found = Object.entries(fields).find(([, one]) => offset >= one.offset && offset < one.offset + one.size);
  return found === undefined ? `${name}${plus(offset)}` : `${name}.${found[0]}${plus(offset - found[1].offset)}`;
}
