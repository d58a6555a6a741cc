/** What is known of each instruction, held against what the CPU does. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RegisterUse, RegisterUses } from '../../emu/register-access.js';
import { REGISTER_FILE } from '../../emu/registers.js';
import { everyProgram, withProcess } from './every-program.js';

let uses: RegisterUses;
beforeAll(async () => {
  uses = await RegisterUses.load();
});
afterAll(() => uses.close());

/** Keeps the programs apart in what is kept by address. */
let program = 1n << 40n;

describe('every register that an instruction changes', () => {
  test.each(everyProgram)('is one it writes: %s', async (_, load, argv) => {
    const unsaid = new Set<string>();
    program += 1n << 40n;
    await withProcess(await load(), argv, (process) => {
      const { cpu } = process;
      let [before, after] = [new BigUint64Array(REGISTER_FILE.length), new BigUint64Array(REGISTER_FILE.length)];
      let use: RegisterUse | undefined;
      const compare = (): void => {
        cpu.readInto(after);
        REGISTER_FILE.forEach((register, index) => {
          if (register === 'rip' || use === undefined || before[index] === after[index]) return;
          const bytes = use.writes
            .filter((part) => part.register === register)
            .reduce((mask, { offset, size }) => mask | (((1n << BigInt(size * 8)) - 1n) << BigInt(offset * 8)), 0n);
          if (((before[index] ^ after[index]) & ~bytes) !== 0n) unsaid.add(`${use.name}: ${register}`);
        });
        [before, after] = [after, before];
      };
      process.on('restored', () => {
        use = undefined;
      });
      cpu.onBlock((address) => {
        compare();
        use = uses.at(BigInt(address) + program, () => cpu.memory.read(address, 15));
        if (use === undefined) unsaid.add(`${process.describe(BigInt(address))} is unknown`);
      });
      while (process.step(Number.POSITIVE_INFINITY).kind === 'child');
    });
    expect([...unsaid]).toEqual([]);
  });
});
