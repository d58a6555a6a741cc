import type { Image } from '../../asm/image.js';
import { GENERAL_REGISTERS, VECTOR_REGISTERS } from '../../emu/registers.js';
import { slotPlace } from '../layout/data.js';
import type { Layout, Slot } from '../layout/layout.js';
import { registerName } from '../layout/words.js';
import { CTX, STACK } from '../probe/driver.js';
import { placeIn } from '../probe/instructions.js';
import type { Access } from '../probe/machine.js';
import { isAround } from '../probe/pieces.js';
import { DIRECTION_FLAG, type ProbedRegister, type RegisterValues } from '../probe/registers.js';
import type { AsmStatement } from './declared.js';
import { isLandingPad, jumpsIndirectly, shadowStackOf } from './shadow-stack.js';

export type Verdict = 'kept' | 'lost' | 'saved beyond need' | 'not applicable';

/** One clause of the contract, and whether a switch keeps it. */
export interface Clause {
  /** As `--require` calls it. */
  readonly id: string;
  /** As people do. */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was seen, or why the clause does not apply. */
  readonly evidence: string;
  /** Where it can be seen: the moment in front of an instruction of the probe. */
  readonly moment: number | undefined;
}

/** Registers that a function has to leave as they were (System V ABI, AMD64 supplement, figure 3.4). */
const CALLEE_SAVED = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', 'rsp', 'rip'] as const;
/** Bits of MXCSR that only status is in; the others are control bits (3.2.1 there). */
const MXCSR_STATUS = 0x3fn;
const RED_ZONE = 128;
/** The bits of an int. */
const INT_MASK = 0xffffffffn;
const LASTING: readonly ProbedRegister[] = [...CALLEE_SAVED, 'mxcsr', 'fpcw'];

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** How the slot of a register was written and read. */
function wayOf(image: Image, slot: Slot | undefined): string {
  if (slot === undefined) return '';
  const by = (accesses: readonly Access[]): string => {
    const last = accesses.at(-1);
    return last === undefined ? '' : ` at ${placeIn(image, last.rip)}`;
  };
  const stored = slot.written
    ? `saved to ${slotPlace(slot)}${by(slot.stores)}`
    : `read from ${slotPlace(slot)}, never saved`;
  return `; ${stored}${slot.loads.length === 0 ? '' : `, loaded${by(slot.loads)}`}`;
}

/** What is known, besides the layout, of the code under test. */
export interface Declarations {
  /** What the compiler is told of an inline save; undefined if no statement with its instructions was found. */
  readonly statement: AsmStatement | undefined;
}

/** Holds a switch to the System V ABI, one clause after another. */
export function clausesOf(layout: Layout, { statement }: Declarations): Clause[] {
  const { measurement, slots } = layout;
  const { code, landed, saved, restore, save, places } = measurement;
  const { image } = code;
  const first = landed[0];
  const isInline = code.save.entry === 'inline';
  const slotFor = (register: ProbedRegister): Slot | undefined =>
    slots.find((slot) => slot.restored === register) ?? slots.find((slot) => slot.saved === register);
  const momentOf = (slot: Slot | undefined): number | undefined =>
    slot?.loads.at(-1)?.moment ??
    slot?.stores.at(-1)?.moment ??
    restore?.steps.at(-1)?.moment ??
    save.steps.at(-1)?.moment;
  const landing = restore?.steps.at(-1)?.moment;
  // The save of a jump comes back to its caller at once, and is a function like any other there.
  const isBack = save.arrival.kind === 'arrived' && save.arrival.at === (code.save.end ?? places.landing);
  const returned = code.convention.shape === 'jump' && isBack ? save.exit : undefined;

  const preserved = (register: ProbedRegister, id: string, name: string, mask = -1n): Clause => {
    const slot = slotFor(register);
    const base = { id, name, moment: momentOf(slot) };
    if (returned !== undefined && ((returned[register] ^ saved[0][register]) & mask) !== 0n) {
      const evidence = `was ${hex(saved[0][register])}, is ${hex(returned[register])} where the save itself returns`;
      return { ...base, verdict: 'lost', evidence, moment: save.steps.at(-1)?.moment };
    }
    if (first === undefined) {
      const why = code.restore === undefined ? 'there is no restore' : 'nobody comes back';
      const verdict = code.restore === undefined ? 'not applicable' : 'lost';
      return { ...base, verdict, evidence: `${why}${wayOf(image, slot)}` };
    }
    const probe = landed.findIndex(
      (values, index) => values === undefined || ((values[register] ^ saved[index][register]) & mask) !== 0n,
    );
    if (probe < 0) {
      return { ...base, verdict: 'kept', evidence: `${hex(first[register])} comes back${wayOf(image, slot)}` };
    }
    const now = landed[probe]?.[register];
    const came =
      now === undefined ? 'a second probe does not come back' : `was ${hex(saved[probe][register])}, is ${hex(now)}`;
    const how = slot === undefined ? '; it is not saved' : wayOf(image, slot);
    return { ...base, verdict: 'lost', evidence: `${came}${how}` };
  };

  const beyond = slots.flatMap(({ saved: register, restored }) =>
    register !== undefined && !LASTING.includes(register) && register !== 'sigmask' && register === restored
      ? [register]
      : [],
  );

  return [
    ...CALLEE_SAVED.map((register) => preserved(register, register, registerName(register))),
    preserved('mxcsr', 'mxcsr', 'MXCSR control bits', ~MXCSR_STATUS),
    preserved('fpcw', 'x87', registerName('fpcw')),
    returnValue(),
    directionFlag(),
    alignment(),
    redZone(),
    memory(),
    landingPad(),
    shadowStack(),
    declared(),
    ...beyond.map((register) => saveBeyond(register)),
  ];

  function saveBeyond(register: ProbedRegister): Clause {
    const slot = slotFor(register);
    const why =
      isInline && statement !== undefined && !isDeclared(register, statement)
        ? 'no function has to keep it; the asm statement does not declare it changed, so the inline form keeps it alive'
        : isInline
          ? 'no function has to keep it; inline, the code around it may still need it'
          : 'no function has to keep it';
    return {
      id: register,
      name: registerName(register),
      verdict: 'saved beyond need',
      evidence: `${why}${wayOf(image, slot)}`,
      moment: momentOf(slot),
    };
  }

  /** As C's setjmp does it (C17, 7.13.1.1), and libmill's: who goes on has to know whether it is for the second time. */
  function returnValue(): Clause {
    const base = { id: 'return-value', name: 'return value', moment: landing };
    if (code.convention.shape === 'swap') {
      return { ...base, verdict: 'not applicable', evidence: 'a swap comes back once' };
    }
    if (returned === undefined || first === undefined) {
      return { ...base, verdict: 'not applicable', evidence: 'they do not both come back' };
    }
    const [saves, lands] = [returned.rax & INT_MASK, first.rax & INT_MASK];
    const verdict = saves === 0n && lands !== 0n ? 'kept' : 'lost';
    return { ...base, verdict, evidence: `eax is ${hex(saves)} behind the save, ${hex(lands)} behind the restore` };
  }

  function directionFlag(): Clause {
    const base = { id: 'df', name: 'direction flag', moment: landing };
    const ends: (RegisterValues | undefined)[] = [save.exit, first];
    const set = ends.find((values) => values !== undefined && (values.eflags & DIRECTION_FLAG) !== 0n);
    if (set !== undefined) return { ...base, verdict: 'lost', evidence: 'clear in front of it, set behind it' };
    return { ...base, verdict: 'kept', evidence: 'clear in front of it and behind it' };
  }

  function alignment(): Clause {
    const evidence =
      'a switch makes no coroutine: whoever makes one chooses its stack, and the switch goes to it as it is';
    return {
      id: 'alignment',
      name: 'stack alignment at entry',
      verdict: 'not applicable',
      evidence,
      moment: undefined,
    };
  }

  /** Writes of both halves to a range. */
  function writesTo(start: number, end: number): Access[] {
    return [...save.accesses, ...(restore?.accesses ?? [])].filter(
      ({ kind, address, size }) => kind === 'write' && address < end && address + size > start,
    );
  }

  function redZone(): Clause {
    const base = { id: 'red-zone', name: 'red zone' };
    if (!isInline) {
      const evidence = 'the save is called, and a call ends the red zone of who calls';
      return { ...base, verdict: 'not applicable', evidence, moment: undefined };
    }
    const top = Number(saved[0].rsp);
    const [write] = writesTo(top - RED_ZONE, top);
    if (write === undefined) {
      return {
        ...base,
        verdict: 'kept',
        evidence: `nothing is written to the ${RED_ZONE} bytes below rsp`,
        moment: landing,
      };
    }
    const evidence = `${write.size} bytes are written ${top - write.address} below rsp, at ${placeIn(image, write.rip)}`;
    return { ...base, verdict: 'lost', evidence, moment: write.moment };
  }

  function memory(): Clause {
    const top = Number(saved[0].rsp);
    const isOwn = ({ address, size }: Access): boolean => {
      if (isAround(address, places.stack, STACK)) return address + size <= top;
      if (isAround(address, places.otherStack, STACK)) return address + size <= places.otherStack;
      const { convention } = code;
      const implicit = convention.shape === 'swap' && convention.form === 'implicit';
      const contexts = [places.ctx, implicit ? Number(save.entry[convention.to]) : places.otherCtx];
      return address === places.mask || contexts.some((ctx) => address >= ctx && address < ctx + CTX.behind);
    };
    const outside = writesTo(0, Number.POSITIVE_INFINITY).find((write) => !isOwn(write));
    const base = { id: 'memory', name: 'nothing else written' };
    if (outside === undefined) {
      return { ...base, verdict: 'kept', evidence: 'all writes are to the ctx and to the own stack', moment: landing };
    }
    const below = places.ctx - outside.address;
    const place = below > 0 && below <= CTX.before ? `ctx-${below}` : image.describe(BigInt(outside.address));
    const evidence = `${outside.size} bytes at ${place}, by ${placeIn(image, outside.rip)}`;
    return { ...base, verdict: 'lost', evidence, moment: outside.moment };
  }

  function landingPad(): Clause {
    const base = { id: 'landing-pad', name: 'landing pad (endbr64)', moment: landing };
    const steps = restore?.steps ?? [];
    // The one before the sequence of who is saved goes on, where a landing pad would be a part of it.
    const isIn = (rip: number): boolean => rip >= code.save.start && rip < (code.save.end ?? 0);
    const last = steps.findLast(({ rip }) => !isIn(rip))?.rip;
    if (last === undefined || first === undefined) {
      return { ...base, verdict: 'not applicable', evidence: 'nobody lands' };
    }
    const target =
      steps.find(({ rip }, index) => isIn(rip) && steps[index - 1]?.rip === last)?.rip ??
      code.save.end ??
      places.landing;
    const how = placeIn(image, last);
    if (!jumpsIndirectly(image, last)) {
      return {
        ...base,
        verdict: 'not applicable',
        evidence: `it lands by a return, or by a jump that needs none, at ${how}`,
      };
    }
    if (!isInline && code.convention.shape === 'jump') {
      const evidence = `it lands by an indirect jump, at ${how}, behind the caller's call: compilers put endbr64 there for functions that return twice (-fcf-protection)`;
      return { ...base, verdict: 'not applicable', evidence };
    }
    if (isInline && isLandingPad(image, target)) return { ...base, verdict: 'kept', evidence: 'endbr64 is there' };
    const evidence = isInline
      ? `it lands by an indirect jump, at ${how}, where there is no endbr64`
      : `it lands by an indirect jump, at ${how}, behind a plain call, where compilers put no endbr64`;
    return { ...base, verdict: 'lost', evidence };
  }

  function shadowStack(): Clause {
    const base = { id: 'shadow-stack', name: 'shadow stack', moment: landing };
    if (restore === undefined || first === undefined) {
      return { ...base, verdict: 'not applicable', evidence: 'nobody lands' };
    }
    const behind = code.save.entry === 'call' ? [places.landing] : [];
    const saving = shadowStackOf(image, save, behind);
    const restoring = shadowStackOf(image, restore, [0, 0]);
    const aware = saving.aware ?? restoring.aware;
    if (aware !== undefined) {
      const evidence = `it asks for the shadow stack, at ${placeIn(image, aware)}, and this machine has none to try it with`;
      return { ...base, verdict: 'not applicable', evidence };
    }
    const last = restore.steps.at(-1)?.rip ?? 0;
    const evidence =
      restoring.violation === undefined
        ? `it lands, at ${placeIn(image, last)}, with the return addresses of who restores on the shadow stack: the next return would fault`
        : `the return at ${placeIn(image, restoring.violation)} goes to where no call on the shadow stack came from: it would fault`;
    return { ...base, verdict: 'lost', evidence };
  }

  function declared(): Clause {
    const base = { id: 'declared', name: 'changes are declared', moment: landing };
    if (!isInline)
      return { ...base, verdict: 'not applicable', evidence: 'the save is called: no asm statement speaks of it' };
    if (statement === undefined) {
      const evidence = 'no asm statement with these instructions was found: give the header that has it';
      return { ...base, verdict: 'not applicable', evidence };
    }
    const changed = [...GENERAL_REGISTERS, ...VECTOR_REGISTERS].filter((register) => {
      const [before] = saved;
      const entered = register === 'rsp' ? before.rsp : save.entry[register];
      const ends = [save.exit, first].filter((values) => values !== undefined);
      return ends.some((values) => values[register] !== entered) && !isDeclared(register, statement);
    });
    if (changed.length === 0) {
      return { ...base, verdict: 'kept', evidence: `every register that changes is declared, at ${statement.place}` };
    }
    const texts = changed.map((register) => {
      const what = statement.inputs.includes(register) ? 'declared an input and nothing else' : 'not declared';
      const now = save.exit[register] !== save.entry[register] ? save.exit : first;
      return `${register} is ${what} at ${statement.place}, and changes from ${hex(save.entry[register])} to ${hex(now?.[register] ?? 0n)}`;
    });
    return { ...base, verdict: 'lost', evidence: texts.join('; ') };
  }
}

function isDeclared(register: ProbedRegister, { outputs, clobbers }: AsmStatement): boolean {
  return [...outputs, ...clobbers].some((name) => name.replace(/^ymm/, 'xmm').replace('%', '') === register);
}
