import type { Cpu, Stop } from '../emu/cpu.js';
import { PAGE_SIZE } from '../emu/memory.js';
import type { RegisterName } from '../emu/registers.js';
import { CTX_SLOTS } from '../runtime/layout.js';
import { coroutineName, hex } from './format.js';
import { bytesOf } from './listing.js';
import { PING_PONG_OUTPUT, PING_PONG_SLOTS, pingPong } from './ping-pong.js';
import { recordSwitches, type Slots, type SwitchRecord } from './switches.js';

const CODE = 0x400000;
const DATA = 0x500000;
const STACK = 0x600000;
const DOOR_RESULT = 0x123456789abcn;
/** More than either program needs: an engine that has lost its way is not waited for. */
const MOST_INSTRUCTIONS = 10_000;

/** One of each that an engine may get wrong, up to a page fault; each result stays in a register of its own. */
export const INSTRUCTIONS = `
48 31 c0                      | xor %rax, %rax
48 83 e8 01                   | sub $1, %rax           # flags that are live across instructions
9c                            | pushf                  # and in which single steps must not show
5b                            | pop %rbx
48 f7 e0                      | mul %rax
49 b9 ff ff ff ff ff ff ff 7f | movabs $0x7fffffffffffffff, %r9
49 ff c1                      | inc %r9
9c                            | pushf
41 5a                         | pop %r10
bd 08 00 00 00                | mov $8, %ebp
01 ee                         | sum: add %ebp, %esi
ff cd                         | dec %ebp
75 fa                         | jnz sum
bf 00 00 50 00                | mov $0x500000, %edi
b9 04 00 00 00                | mov $4, %ecx
f3 aa                         | rep stosb              # one instruction, however often it repeats
f2 0f 2a c6                   | cvtsi2sd %esi, %xmm0
66 0f 70 c8 b1                | pshufd $0xb1, %xmm0, %xmm1
f2 0f 51 d0                   | sqrtsd %xmm0, %xmm2
66 0f fe d1                   | paddd %xmm1, %xmm2
66 49 0f 7e d4                | movq %xmm2, %r12
b8 07 00 00 00                | mov $7, %eax
0f 05                         | syscall
48 89 87 fc 0f 00 00          | mov %rax, 0xffc(%rdi)  # faults
`;
/** 23 in front of the one that faults, and seven further rounds of the loop's three. */
const COMPLETED = 23 + 7 * 3;
const FAULT_LENGTH = 7;

/** What is in the registers at the fault, by the Intel SDM and arithmetic; r11, r13, … are not used. */
const REGISTERS_AT_FAULT: Readonly<Partial<Record<RegisterName, bigint>>> = {
  rax: DOOR_RESULT,
  /** 0 - 1: CF, PF, AF and SF, and bit 1, which is always set. */
  rbx: 0x97n,
  rcx: 0n,
  /** (2^64 - 1)^2 = (2^64 - 2) * 2^64 + 1; the 1 is what is stored. */
  rdx: 2n ** 64n - 2n,
  /** 8 + 7 + … + 1 */
  rsi: 36n,
  rdi: 0x500004n,
  rsp: BigInt(STACK + PAGE_SIZE),
  rbp: 0n,
  r8: 0n,
  r9: 2n ** 63n,
  /** 2^63 - 1 + 1: PF, AF, SF and OF, bit 1, and CF, which inc leaves as mul has set it. */
  r10: 0x897n,
  r11: 0n,
  /** 6 as a double is 0x40180000 and 0; 36 is 0x40420000 and 0, and is added the other way round. */
  r12: 0x4018000040420000n,
  r13: 0n,
  r14: 0n,
  r15: 0n,
  xmm0: 0x4042000000000000n,
};

type Complain = (message: string) => void;

/**
 * Runs two little programs on a CPU and compares with what is known beforehand: every result of one instruction of each
 * kind, run and stepped; and libmill's own switch, all ten slots.
 * @param open makes a CPU with at least 16 MiB of memory, which is closed again
 * @returns what was wrong, in a line each; nothing if all was right
 */
export function selfTest(open: () => Cpu): string[] {
  const problems: string[] = [];
  for (const part of [testInstructions, testSwitches]) {
    try {
      const cpu = open();
      try {
        part(cpu, (message) => problems.push(message));
      } finally {
        cpu.close();
      }
    } catch (error) {
      problems.push(firstLine(error));
    }
  }
  return problems;
}

/** Of whatever was thrown, what fits a line: the text of an unknown error may hold all of unicorn.js, 2.5 MB. */
export function firstLine(error: unknown): string {
  return String(error).split('\n', 1)[0].slice(0, 200);
}

function testInstructions(cpu: Cpu, complain: Complain): void {
  const { memory } = cpu;
  const code = bytesOf(INSTRUCTIONS);
  memory.reserve(CODE, PAGE_SIZE, 'r-x');
  memory.load(CODE, code);
  memory.reserve(DATA, PAGE_SIZE, 'rw-');
  memory.reserve(STACK, PAGE_SIZE, 'rw-');
  cpu.write('rip', BigInt(CODE));
  cpu.write('rsp', BigInt(STACK + PAGE_SIZE));
  let doors: bigint[] = [];
  cpu.onHypercall = () => {
    doors.push(cpu.general64(0));
    cpu.setRax(DOOR_RESULT);
  };
  const check = (way: string, stop: Stop): void => {
    const expect = (what: string, is: unknown, expected: unknown): void => {
      const show = (value: unknown): string => (typeof value === 'bigint' ? hex(value) : String(value));
      if (is !== expected) complain(`${way}: ${what} is ${show(is)}, not ${show(expected)}`);
    };
    const fault = stop.kind === 'fault' ? stop.fault : undefined;
    expect('what ends it', fault?.kind ?? stop.kind, 'page fault');
    expect('the access that faults', fault?.access, 'write');
    expect('the address that faults', fault?.target, BigInt(DATA + PAGE_SIZE));
    expect('the instruction that faults', fault?.rip, BigInt(CODE + code.length - FAULT_LENGTH));
    expect('the moment', cpu.moment, COMPLETED);
    expect('what the door was called with', doors.map(hex).join(), '0x7');
    for (const [name, value] of Object.entries(REGISTERS_AT_FAULT)) expect(name, cpu.read(name as RegisterName), value);
    expect('memory', memory.read(DATA, 6).join(), '1,1,1,1,0,0');
  };
  const start = cpu.save();
  check('run', cpu.run(MOST_INSTRUCTIONS));
  doors = [];
  cpu.restore(start);
  let visits = 0;
  const stop = cpu.step(MOST_INSTRUCTIONS, () => {
    visits += 1;
  });
  check('stepped', stop);
  if (visits !== COMPLETED) complain(`stepped: ${visits} steps were seen, not ${COMPLETED}`);
}

const SWITCHES = 6;

function testSwitches(cpu: Cpu, complain: Complain): void {
  const process = pingPong(cpu);
  const records: SwitchRecord[] = [];
  let output = '';
  process.on('output', ({ bytes }) => {
    output += new TextDecoder().decode(bytes);
  });
  recordSwitches(process, (record) => {
    records.push(record);
    if (records.length === SWITCHES) cpu.stop();
  });
  const outcome = process.run(MOST_INSTRUCTIONS);
  if (outcome.kind !== 'paused') complain(`the switches end with "${outcome.kind}" after ${records.length}`);
  if (output !== PING_PONG_OUTPUT) complain(`the output is ${JSON.stringify(output)}`);
  const order = records.map(({ kind, from, to }) => `${kind} ${from}-${to}`).join();
  if (order !== 'start 0-1,switch 1-0,switch 0-1,switch 1-0,switch 0-1,switch 1-0') complain(`the order is ${order}`);
  const saves = new Map<number, Slots>();
  for (const { number, saved, restored } of records) {
    if (saved !== null) {
      saves.set(saved.coroutine, saved.slots);
      for (const [name, value] of Object.entries(PING_PONG_SLOTS)) {
        const expected = saved.coroutine === 0 ? value : BigInt.asUintN(64, ~value);
        const is = saved.slots[name as keyof typeof PING_PONG_SLOTS];
        if (is !== expected) complain(`switch ${number} saves ${hex(is)} as ${name}, not ${hex(expected)}`);
      }
    }
    for (const name of restored === null ? [] : CTX_SLOTS) {
      const is = restored?.slots[name];
      const expected = saves.get(restored?.coroutine ?? 0)?.[name];
      if (is === expected) continue;
      const who = coroutineName(restored?.coroutine ?? 0);
      complain(`switch ${number} gives ${who} ${hex(is ?? 0n)} as ${name}, not ${hex(expected ?? 0n)}`);
    }
  }
}
