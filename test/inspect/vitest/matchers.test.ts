import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openGuest } from '../../../inspect/guest.js';
import { goldenText } from '../../../inspect/layout/golden.js';
import { DEFAULTS } from '../../../inspect/options.js';
import { type LoadedSwitch, loadSwitch, loadSwitches } from '../../../inspect/vitest.js';
import { failureOf, folder, loadRelay, messageOf } from './relay.js';

const LIBMILL = ['asm/mill_setjmp.s', 'asm/mill_longjmp.s'];

const relay = await loadRelay();
const libmill = await loadSwitch(LIBMILL);

/** One line changed, in some of the ways in which people do. */
const withoutStore = await loadRelay('mov     %r14, 48(%rdi)');
const withoutLoad = await loadRelay('ldmxcsr 64(%rsi)');
const fromOtherSlot = await loadRelay('mov     40(%rsi), %r13', 'mov     48(%rsi), %r13');
const narrow = await loadRelay('mov     %rbx, 8(%rdi)', 'mov     %ebx, 8(%rdi)');
const withoutWay = await loadRelay('jmp     *0(%rsi)', 'jmp     *8(%rsi)');

describe('toHaveCtxLayout', () => {
  const path = join(folder, 'relay.json');
  writeFileSync(path, goldenText([relay.layout]));

  it('passes for the layout that it is, from a file, by URL, or as data', () => {
    expect(relay).toHaveCtxLayout(path);
    expect(relay).toHaveCtxLayout(pathToFileURL(path));
    expect(relay).toHaveCtxLayout(relay.layout);
    // Its own file is in the consumer's repository, and was made by the command.
    expect(relay).toHaveCtxLayout('fixtures/consumer/relay.layout.json');
    expect(libmill).not.toHaveCtxLayout(relay.layout);
  });

  it('fails with the slots that are otherwise, and the instructions that use them', () => {
    expect(messageOf(() => expect(withoutStore).toHaveCtxLayout(path))).toBe(
      `relay_switch: the layout is not as relay.json has it

at  expected   actual
48  r14 → r14  no register → r14

slot 48: written by nothing, read by movq 0x30(%rsi), %r14 at relay.s:23
to see it: millscope step relay.s --switch relay_switch --at N`,
    );
    expect(messageOf(() => expect(fromOtherSlot).toHaveCtxLayout(relay.layout))).toBe(
      `relay_switch: the layout is not as it is expected

at  expected   actual
40  r13 → r13  r13 → nothing
48  r14 → r14  r14 → r14 + r13

slot 40: written by movq %r13, 0x28(%rdi) at relay.s:14, read by nothing
slot 48: written by movq %r14, 0x30(%rdi) at relay.s:15, read by movq 0x30(%rsi), %r13 at relay.s:24
to see it: millscope step relay.s --switch relay_switch --at N`,
    );
  });

  it('fails with not for the layout that it is', () => {
    expect(failureOf(() => expect(relay).not.toHaveCtxLayout(path))).toBe(
      'relay_switch: the layout is as relay.json has it',
    );
  });

  it('refuses what is no golden file', () => {
    expect(failureOf(() => expect(relay).toHaveCtxLayout('nowhere.json'))).toBe(
      'cannot read nowhere.json (ENOENT): millscope layout --write makes a golden file',
    );
    expect(failureOf(() => expect(relay).toHaveCtxLayout('README.md'))).toMatch(/^README\.md: it is no golden file/);
  });

  it('compares each of several switches with its own layout', () => {
    const both = join(folder, 'both.json');
    writeFileSync(both, goldenText([relay.layout, libmill.layout]));
    expect(messageOf(() => expect(relay).toHaveCtxLayout(both))).toBe(
      `relay_switch: the layout is not as both.json has it

at        expected  actual
switches  2         1

to see it: millscope step relay.s --switch relay_switch --at N`,
    );
  });
});

describe('toPreserve', () => {
  it('passes for registers that come back', () => {
    expect(relay).toPreserve('rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', 'rsp', 'rip', 'mxcsr', 'fpcw');
    expect(libmill).toPreserve('rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', 'rsp', 'rip', 'rdi', 'rsi');
    expect(libmill).not.toPreserve('mxcsr', 'fpcw', 'xmm6');
  });

  it('fails with what was saved and what came back', () => {
    expect(messageOf(() => expect(withoutLoad).toPreserve('rbx', 'mxcsr'))).toBe(
      `relay_switch does not preserve mxcsr

register  expected  actual
mxcsr     0x3fc0    0x7f80

slot 64: written by stmxcsr 0x40(%rdi) at relay.s:17, read by nothing
to see it: millscope step relay.s --switch relay_switch --at N`,
    );
    expect(messageOf(() => expect(narrow).toPreserve('rbx'))).toBe(
      `relay_switch does not preserve rbx

register  expected            actual
rbx       0x53df7413971b78d9  0x5e7bd76b971b78d9

slot 8: written by movl %ebx, 8(%rdi) at relay.s:10, read by movq 8(%rsi), %rbx at relay.s:28
to see it: millscope step relay.s --switch relay_switch --at N`,
    );
  });

  it('fails with what is in no slot', () => {
    expect(messageOf(() => expect(libmill).toPreserve('rbx', 'mxcsr', 'fpcw'))).toBe(
      `mill_setjmp, mill_longjmp does not preserve mxcsr, x87 control word; in no slot: mxcsr, x87 control word

register          expected  actual
mxcsr             0x3fc0    0x7f80
x87 control word  0x67f     0xf7f

to see it: millscope step asm/mill_setjmp.s asm/mill_longjmp.s --probe --at N`,
    );
  });

  it('fails with why nobody comes back', () => {
    const message = messageOf(() => expect(withoutWay).toPreserve('r12'));
    expect(message?.replaceAll(/0x[0-9a-f]{8,}/g, '0x…')).toBe(
      `relay_switch does not preserve r12

register  expected            actual
r12       0x…  nobody comes back

not measured to the end: relay_switch crashes: general protection fault, at 0x…, where relay.s:29 has led
the last instruction was jmpq *8(%rsi) at relay.s:29
slot 32: written by movq %r12, 0x20(%rdi) at relay.s:13, read by nothing
to see it: millscope step relay.s --switch relay_switch --at N`,
    );
  });

  it('fails with not if one of them comes back', () => {
    expect(failureOf(() => expect(libmill).not.toPreserve('mxcsr', 'rbx'))).toBe(
      'mill_setjmp, mill_longjmp preserves rbx',
    );
  });
});

describe('toKeepContract', () => {
  it('passes where no clause is lost but those that are excepted', () => {
    expect(relay).toKeepContract({ except: ['landing-pad', 'shadow-stack'] });
    expect(libmill).not.toKeepContract({ except: ['landing-pad', 'shadow-stack'] });
  });

  it('fails with each clause that is lost, and its evidence', () => {
    const except = ['landing-pad', 'shadow-stack'];
    expect(messageOf(() => expect(withoutStore).toKeepContract({ except }))).toBe(
      `relay_switch does not keep its contract: r14

clause  expected  actual  evidence
r14     kept      lost    was 0x5ece60d47ed1b024, is 0x6dbda0fcd646bafc; read from 48, never saved, loaded at relay.s:23

slot 48: written by nothing, read by movq 0x30(%rsi), %r14 at relay.s:23
to see it: millscope step relay.s --switch relay_switch --at N`,
    );
    expect(messageOf(() => expect(libmill).toKeepContract({ except: ['declared'] }))).toBe(
      `mill_setjmp, mill_longjmp does not keep its contract: MXCSR control bits, x87 control word, landing pad (endbr64), shadow stack

clause        expected  actual  evidence
mxcsr         kept      lost    was 0x3fc5, is 0x7fa2; it is not saved
x87           kept      lost    was 0x67f, is 0xf7f; it is not saved
landing-pad   kept      lost    it lands by an indirect jump, at mill_longjmp.s:21, where there is no endbr64
shadow-stack  kept      lost    it lands, at mill_longjmp.s:21, with the return addresses of who restores on the shadow stack: the next return would fault

to see it: millscope step asm/mill_setjmp.s asm/mill_longjmp.s --probe --at N`,
    );
  });

  it('fails with what the asm statement of an inline save does not declare', () => {
    const except = ['mxcsr', 'x87', 'landing-pad', 'shadow-stack'];
    expect(libmill).toKeepContract({ except: [...except, 'declared'] });
    expect(messageOf(() => expect(libmill).toKeepContract({ except }))).toMatch(
      /^declared +kept +lost +rdx is declared an input and nothing else at libmill\.h:\d+, and changes /m,
    );
  });

  it('fails with not where it is kept', () => {
    const except = ['landing-pad', 'shadow-stack'];
    expect(failureOf(() => expect(relay).not.toKeepContract({ except }))).toBe('relay_switch keeps its contract');
  });

  it('refuses an exception from a clause that there is not', () => {
    expect(failureOf(() => expect(relay).toKeepContract({ except: ['endbr64'] }))).toMatch(
      /^there is no clause endbr64: there are rbx, .*landing-pad/,
    );
  });
});

describe('toSwitchWithin', () => {
  // Counted by hand: 22 in relay_switch.S; 12 in each of mill_setjmp.s and mill_longjmp.s.
  it('passes with as many instructions as there are', () => {
    expect(relay).toSwitchWithin(22);
    expect(libmill).toSwitchWithin(24);
    expect(relay).not.toSwitchWithin(21);
  });

  it('fails with the first instruction that is too many', () => {
    expect(messageOf(() => expect(relay).toSwitchWithin(20))).toBe(
      `relay_switch does not switch within 20 instructions; one too many is movq 8(%rsi), %rbx at relay.s:28

              expected    actual
instructions  at most 20  22

to see it: millscope step relay.s --switch relay_switch --at N`,
    );
    expect(messageOf(() => expect(libmill).toSwitchWithin(23))).toBe(
      `mill_setjmp, mill_longjmp does not switch within 23 instructions; one too many is jmpq *%rdx at mill_longjmp.s:21

              expected    actual
instructions  at most 23  24

to see it: millscope step asm/mill_setjmp.s asm/mill_longjmp.s --probe --at N`,
    );
  });

  it('fails where nobody comes back', () => {
    expect(messageOf(() => expect(withoutWay).toSwitchWithin(100))).toMatch(
      /^relay_switch does not switch within 100 instructions\n\n.*\ninstructions +at most 100 +nobody comes back\n/,
    );
  });

  it('fails with not where it is as short', () => {
    expect(failureOf(() => expect(relay).not.toSwitchWithin(22))).toBe(
      'relay_switch switches within 22 instructions: it takes 22',
    );
  });
});

describe('loadSwitches', () => {
  const files = ['fixtures/c/prime-sieve.o', 'asm/mill_longjmp.s'];

  it('loads every place where a compiler has put a save inline, each with its own probe', async () => {
    const switches = await loadSwitches(files);
    expect(switches.length).toBeGreaterThan(1);
    expect(new Set(switches.map(String)).size).toBe(switches.length);
    switches.forEach((one, index) => {
      expect(one.layout.slots).toEqual(libmill.layout.slots);
      expect(one.stepTo(7)).toMatch(index === 0 ? / --probe --at 7$/ : new RegExp(` --probe ${index + 1} --at 7$`));
    });
    const golden = join(folder, 'inline.json');
    writeFileSync(golden, goldenText(switches.map(({ layout }) => layout)));
    for (const one of switches) expect(one).toHaveCtxLayout(golden);
    const [first, second] = switches.map(({ layout }) => layout);
    writeFileSync(
      golden,
      goldenText([
        first,
        { ...second, slots: second.slots.slice(1) },
        ...switches.slice(2).map(({ layout }) => layout),
      ]),
    );
    expect(switches.map((one) => failureOf(() => expect(one).toHaveCtxLayout(golden)) === undefined)).toEqual(
      switches.map((_, index) => index !== 1),
    );
  });

  it('is what loadSwitch asks for where there are several', async () => {
    await expect(loadSwitch(files)).rejects.toThrow(
      /^fixtures.* asm\/mill_longjmp\.s: there are \d+ switches \(.*\): use loadSwitches$/,
    );
    await expect(loadSwitch('nowhere.o')).rejects.toThrow(/nowhere\.o/);
  });

  it('finds by the header that is given what a save declares', async () => {
    const [{ clauses }] = await loadSwitches([...files, 'runtime/include/libmill.h']);
    expect(clauses.find(({ id }) => id === 'declared')?.evidence).toMatch(/runtime\/include\/libmill\.h:\d+/);
  });
});

describe('all matchers', () => {
  it('refuse what no switch is', () => {
    // What the types do not let anybody write in TypeScript.
    const expectAnything = (value: unknown) => expect(value as LoadedSwitch);
    const refusals = [
      () => expectAnything(libmill.layout).toPreserve('rbx'),
      () => expectAnything(Promise.resolve(relay)).toKeepContract(),
      () => expectAnything('asm/mill_setjmp.s').toSwitchWithin(24),
      () => expectAnything(undefined).toHaveCtxLayout('relay.json'),
    ];
    expect(refusals.map(failureOf)).toEqual(
      refusals.map(() => 'this is for what loadSwitch() returns: await that, and give it to expect()'),
    );
  });

  it('but for the layout refuse a save alone, of which they cannot tell', async () => {
    const save = await loadSwitch('asm/mill_setjmp.s');
    expect(save.layout.slots.map(({ saved }) => saved)).toEqual(libmill.layout.slots.map(({ saved }) => saved));
    const refusals = [
      () => expect(save).toKeepContract(),
      () => expect(save).not.toPreserve('rbx'),
      () => expect(save).toSwitchWithin(24),
    ];
    expect(refusals.map(failureOf)).toEqual(
      refusals.map(() => 'mill_setjmp: nothing restores what it saves: load it together with the file that does'),
    );
  });

  it('name a command that leads to the instruction', async () => {
    const command =
      failureOf(() => expect(libmill).toSwitchWithin(23))
        ?.split('\n')
        .at(-1) ?? '';
    const moment = Number(/--at (\d+)$/.exec(command)?.[1]);
    const guest = await openGuest({ paths: LIBMILL, arguments: [], options: { ...DEFAULTS, probe: 1 } });
    guest.run(moment);
    // The last of mill_longjmp.s, which ends in `jmp *%rdx`.
    expect(guest.describe(guest.cpu.read('rip'))).toMatch(/mill_longjmp\.s:21/);
    guest.cpu.close();
  });
});
