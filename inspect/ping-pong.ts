import { Image } from '../asm/image.js';
import type { Cpu } from '../emu/cpu.js';
import { libmill } from '../runtime/libmill.js';
import { Process } from '../runtime/process.js';
import { bytesOf } from './listing.js';

const CODE = 0x400000n;
const DATA = 0x401000n;
/** What is called, as pointers where the data begins; the text is behind them. */
const FUNCTIONS = ['puts', 'mill_getctx_', 'mill_prologue_', 'mill_yield_'];

/** What the program prints before its first switch. */
export const PING_PONG_OUTPUT = 'ping-pong\n';

/** What main has in eight of the ten slots at each of its switches; its coroutine has the complement of each. */
export const PING_PONG_SLOTS = {
  rbx: 0x1010202030304041n,
  rbp: 0x1010202030304042n,
  r12: 0x1010202030304043n,
  r13: 0x1010202030304044n,
  r14: 0x1010202030304045n,
  r15: 0x1010202030304046n,
  rdi: 0x1010202030304047n,
  rsi: 0x1010202030304048n,
} as const;

function sequence(): string {
  const [{ start, end }] = libmill().occurrences('mill_setjmp.s');
  const section = libmill().sectionAt(start);
  if (section === undefined) return '';
  const bytes = section.bytes.subarray(Number(start - section.address), Number(end - section.address));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** The program: two coroutines that yield to each other for ever. What go() does is inline, as a compiler puts it. */
export function pingPongListing(): string {
  return `
53                            | main: push %rbx
bf 20 10 40 00                | mov $0x401020, %edi
ff 14 25 00 10 40 00          | call *0x401000                  # puts
48 bb 41 40 30 30 20 20 10 10 | movabs $0x1010202030304041, %rbx
48 bd 42 40 30 30 20 20 10 10 | movabs $0x1010202030304042, %rbp
49 bc 43 40 30 30 20 20 10 10 | movabs $0x1010202030304043, %r12
49 bd 44 40 30 30 20 20 10 10 | movabs $0x1010202030304044, %r13
49 be 45 40 30 30 20 20 10 10 | movabs $0x1010202030304045, %r14
49 bf 46 40 30 30 20 20 10 10 | movabs $0x1010202030304046, %r15
48 bf 47 40 30 30 20 20 10 10 | movabs $0x1010202030304047, %rdi
48 be 48 40 30 30 20 20 10 10 | movabs $0x1010202030304048, %rsi
ff 14 25 08 10 40 00          | call *0x401008                  # mill_getctx_
48 89 c2                      | mov %rax, %rdx
${sequence()}                 | .include "mill_setjmp.s"
85 c0                         | test %eax, %eax
75 2f                         | jnz ping
ff 14 25 10 10 40 00          | call *0x401010                  # mill_prologue_
48 89 c4                      | mov %rax, %rsp
48 83 e4 f0                   | and $-16, %rsp
48 f7 d3                      | not %rbx
48 f7 d5                      | not %rbp
49 f7 d4                      | not %r12
49 f7 d5                      | not %r13
49 f7 d6                      | not %r14
49 f7 d7                      | not %r15
48 f7 d7                      | not %rdi
48 f7 d6                      | not %rsi
ff 14 25 18 10 40 00          | pong: call *0x401018            # mill_yield_
eb f7                         | jmp pong
ff 14 25 18 10 40 00          | ping: call *0x401018            # mill_yield_
eb f7                         | jmp ping
`;
}

/** Loads the program into a CPU that has at least 16 MiB of memory and nothing in it. */
export function pingPong(cpu: Cpu): Process {
  const code = bytesOf(pingPongListing());
  const pointers = BigUint64Array.from(FUNCTIONS, (name) => libmill().symbol(name));
  const text = new TextEncoder().encode(`${PING_PONG_OUTPUT.trimEnd()}\0`);
  const data = Uint8Array.from([...new Uint8Array(pointers.buffer), ...text]);
  const image = new Image(
    [
      { name: '.text', address: CODE, size: code.length, bytes: code },
      { name: '.rodata', address: DATA, size: data.length, bytes: data },
    ],
    [{ name: 'main', value: CODE, kind: 'label', global: true }],
    [],
  );
  return new Process(cpu, libmill(), image, ['ping-pong']);
}
