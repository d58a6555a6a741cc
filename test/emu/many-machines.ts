/** Opens, uses and closes as many machines as told; prints how many, and the most memory the process had, in bytes. */
import { loadEngine, openCpu } from '../../emu/open.js';

const CODE = 0x400000;
const DATA = 0x600000;
const BYTES = 16 * 4096;
// mov $16, %ecx; mov $DATA, %ebx; again: mov %rcx, (%rbx); add $4096, %rbx; dec %ecx; jnz again; syscall
const TEXT = [
  0xb9, 0x10, 0, 0, 0, 0xbb, 0, 0, 0x60, 0, 0x48, 0x89, 0x0b, 0x48, 0x81, 0xc3, 0, 0x10, 0, 0, 0xff, 0xc9, 0x75, 0xf2,
  0x0f, 0x05,
];

await loadEngine();
let machines = 0;
for (let i = 0; i < Number(process.argv[2]); i++) {
  const cpu = openCpu();
  cpu.memory.reserve(CODE, 4096, 'r-x');
  cpu.memory.load(CODE, Uint8Array.from(TEXT));
  cpu.memory.reserve(DATA, BYTES, 'rw-');
  cpu.write('rip', BigInt(CODE));
  cpu.step(5);
  cpu.run();
  if (cpu.moment === 2 + 16 * 4 + 1 && cpu.memory.u64(DATA + 15 * 4096) === 1n) machines++;
  cpu.save();
  cpu.close();
}
console.log(JSON.stringify({ machines, peak: process.resourceUsage().maxRSS * 1024 }));
