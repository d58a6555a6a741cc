import type { Access } from '../probe/machine.js';
import type { Area, Measurement, Unit } from '../probe/measure.js';
import { overlaps, type Piece } from '../probe/pieces.js';
import type { ProbedRegister } from '../probe/registers.js';
import { type Content, contentOf } from './content.js';

/** One place of a context: what the save puts there, and where the restore takes it. */
export interface Slot {
  readonly area: Area;
  /** In bytes: from the pointer to the ctx, on the stack from where rsp points once all is saved, elsewhere from the symbol. */
  readonly offset: number;
  readonly symbol: string | undefined;
  /** In the first probe. */
  readonly address: number;
  /** In bytes. */
  readonly size: number;
  /** The register whose value it holds; undefined if the save writes something else, or nothing. */
  readonly saved: ProbedRegister | undefined;
  /** How that is not simply the register's value, or what it is if not a register's; or that not all of it is used. */
  readonly as: string | undefined;
  /** Whether the save writes it at all, the call of the save included. */
  readonly written: boolean;
  /** The register that has its value behind the restore; undefined if none has. */
  readonly restored: ProbedRegister | undefined;
  /** Registers that it shows in besides, such as the one it was loaded by. */
  readonly also: readonly ProbedRegister[];
  /** Whether it could be tried what the restore does with it. */
  readonly tried: boolean;
  readonly stores: readonly Access[];
  readonly loads: readonly Access[];
}

/** What is wrong with a layout, or odd: each as a slot or a register. */
export interface Findings {
  readonly neverRestored: readonly Slot[];
  readonly neverSaved: readonly Slot[];
  /** Registers that are in several slots. */
  readonly savedTwice: readonly ProbedRegister[];
  /** Slots whose register comes out as another one. */
  readonly different: readonly Slot[];
}

/** The layout of a context, as running the code has shown it. */
export interface Layout {
  readonly measurement: Measurement;
  /** In the order of their addresses, those on the stack behind those of the ctx. */
  readonly slots: readonly Slot[];
  /** Of a context that is a stack pointer: how far above it the caller's rsp is, in bytes, if the restore brings that back. */
  readonly pointer: { readonly above: number; readonly restored: boolean } | undefined;
  readonly findings: Findings;
}

const WORD = 8;
const AREAS: readonly Area[] = ['ctx', 'stack', 'elsewhere'];

/** What a caller relies on; where a slot shows in several registers, it is meant for one of these. */
const MEANT: readonly ProbedRegister[] = ['rsp', 'rip', 'rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', 'mxcsr', 'fpcw'];

interface Part {
  readonly unit: Unit;
  readonly content: Content | undefined;
}

/** The two halves of a vector register, side by side, are one slot; and so is what is no register's and written at once. */
function joins(one: Part, next: Part): boolean {
  const { unit, content } = one;
  if (unit.area !== next.unit.area || unit.offset + unit.size !== next.unit.offset) return false;
  if (content?.register !== undefined) {
    return content.register === next.content?.register && content.half === 'low' && next.content.half === 'high';
  }
  const [rip, nextRip] = [unit.stores.at(-1)?.rip, next.unit.stores.at(-1)?.rip];
  const dead = (part: Part): boolean => part.unit.effects?.length === 0 && part.content?.register === undefined;
  return rip !== undefined && rip === nextRip && dead(one) && dead(next);
}

/** How many bytes of a piece some accesses have touched. */
function covered({ address, size }: Piece, accesses: readonly Piece[]): number {
  const bytes = Array.from({ length: size }, (_, at) => ({ address: address + at, size: 1 }));
  return bytes.filter((byte) => accesses.some((access) => overlaps(access, byte))).length;
}

/**
 * Whether of what could be saved only the lower part is: all addresses are below 2 GiB here, so that values do not show
 * a stack pointer or a return address that was moved by half.
 */
function narrowed(parts: readonly Part[], { code, save }: Measurement): string | undefined {
  const [{ unit, content }] = parts;
  if (parts.length > 1 || content?.register === undefined || content.as !== undefined) return undefined;
  const words = (bytes: number, when: string): string => `its low ${8 * bytes} bits, when ${when}`;
  const read = covered(unit, unit.loads);
  if (read > 0 && read < unit.size) return words(read, 'restored');
  if (content.register !== 'rip' || code.save.entry !== 'call') return undefined;
  const pushed = { address: Number(save.entry.rsp), size: WORD };
  // A return reads all of it as well: what counts is who has read it last before it was stored.
  const stored = unit.stores.at(-1)?.moment ?? 0;
  const reads = save.accesses.filter(({ kind, moment }) => kind === 'read' && moment <= stored);
  const last = reads.findLast((access) => overlaps(access, pushed))?.rip;
  const own = reads.filter(({ rip }) => rip === last);
  const taken = covered(pushed, own);
  return taken > 0 && taken < WORD ? words(taken, 'saved') : undefined;
}

function slotOf(parts: readonly Part[], measurement: Measurement): Slot {
  const [{ unit, content }] = parts;
  const effects = [...new Set(parts.flatMap((part) => part.unit.effects ?? []))];
  const meant = [content?.register, ...MEANT, ...effects].find((name) => name !== undefined && effects.includes(name));
  return {
    area: unit.area,
    offset: unit.offset,
    symbol: unit.symbol,
    address: unit.address,
    size: parts.reduce((sum, part) => sum + part.unit.size, 0),
    saved: content?.register,
    as:
      parts.length > 1 && content?.register === undefined
        ? 'no register'
        : (content?.as ?? narrowed(parts, measurement)),
    written: unit.values !== undefined,
    restored: meant,
    also: effects.filter((name) => name !== meant),
    tried: unit.effects !== undefined,
    stores: parts.flatMap((part) => part.unit.stores),
    loads: parts.flatMap((part) => part.unit.loads),
  };
}

/** Makes slots of what was measured. */
export function layoutOf(measurement: Measurement): Layout {
  const parts = measurement.units
    .map((unit) => ({ unit, content: contentOf(measurement, unit) }))
    .sort((a, b) => AREAS.indexOf(a.unit.area) - AREAS.indexOf(b.unit.area) || a.unit.offset - b.unit.offset);
  const groups: Part[][] = [];
  for (const part of parts) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (group !== undefined && last !== undefined && joins(last, part)) group.push(part);
    else groups.push([part]);
  }
  const raw = groups.map((group) => slotOf(group, measurement));
  // A stack pointer brings back what is on its stack too; what has a slot of its own comes from there.
  const meant = new Set(raw.map(({ restored }) => restored));
  const pointer = pointerOf(measurement);
  const { convention } = measurement.code;
  const slots = raw.map((slot): Slot => {
    // Whoever swaps reads this one, and hands its content over in a register.
    const isHandedOver = convention.shape === 'swap' && convention.form === 'value' && slot.saved === 'rsp';
    const restored = isHandedOver && slot.area === 'ctx' && pointer?.restored ? 'rsp' : slot.restored;
    return { ...slot, restored, also: slot.also.filter((name) => !meant.has(name)) };
  });
  return { measurement, slots, pointer, findings: findingsOf(measurement, slots) };
}

function pointerOf({ code, savedStack, saved, landed }: Measurement): Layout['pointer'] {
  const { convention } = code;
  if (convention.shape === 'jump' || convention.form === 'pointers' || convention.form === 'implicit') return undefined;
  return {
    above: Number(saved[0].rsp) - savedStack,
    restored: landed.every((values, probe) => values?.rsp === saved[probe].rsp),
  };
}

function findingsOf({ restore }: Measurement, slots: readonly Slot[]): Findings {
  const registers = slots.flatMap(({ saved }) => (saved === undefined ? [] : [saved]));
  return {
    neverRestored:
      restore === undefined
        ? []
        : slots.filter(({ saved, restored, tried, loads }) => {
            return saved !== undefined && restored === undefined && (tried || loads.length === 0);
          }),
    neverSaved: slots.filter(({ written }) => !written),
    savedTwice: [...new Set(registers.filter((name, at) => registers.indexOf(name) !== at))],
    different: slots.filter(
      ({ saved, restored }) => saved !== undefined && restored !== undefined && saved !== restored,
    ),
  };
}
