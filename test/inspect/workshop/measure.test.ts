import { expect, it } from 'vitest';
import type { Source } from '../../../asm/statement.js';
import type { Measured, SlotRow } from '../../../inspect/web/workshop/protocol.js';
import { lineOf, openWorkshop, sourceOf } from './workshop.js';

/** As the table at the head of both sequences has them. */
const SLOTS = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'return address', 'rdi', 'rsi'];
const [SAVE, RESTORE] = ['mill_setjmp.s', 'mill_longjmp.s'].map((name) => sourceOf(name));

async function measure(...runtime: Source[]): Promise<Measured> {
  const reply = await openWorkshop().measure({ runtime });
  if (reply.kind === 'problems') throw new Error(JSON.stringify(reply.problems));
  expect(structuredClone(reply)).toEqual(reply);
  return reply;
}

const slotAt = ({ slots }: Measured, offset: number): SlotRow | undefined =>
  slots.find((slot) => slot.offset === offset);
const lost = ({ clauses }: Measured): string[] =>
  clauses.filter(({ verdict }) => verdict === 'lost').map(({ id }) => id);
const redLines = ({ wrong }: Measured) => wrong.map(({ file, line }) => `${file}:${line}`).sort();
const place = (source: Source, part: string): string => `${source.name}:${lineOf(source.text, part)}`;

/** What libmill's own switch does not keep, or what this machine cannot say of it. */
const OF_LIBMILL = ['mxcsr', 'x87', 'landing-pad', 'shadow-stack'];

it("has libmill's ten slots, each with the lines that save and restore it", async () => {
  const measured = await measure();
  expect(measured.slots.map(({ place: where }) => where)).toEqual(SLOTS.map((_, slot) => `ctx+${8 * slot}`));
  measured.slots.forEach(({ saved, restored, wrong, savedBy, restoredBy }, slot) => {
    expect(saved).toBe(SLOTS[slot]);
    expect(restored).toMatch(new RegExp(`^${SLOTS[slot]}\\b`));
    expect(wrong).toBeUndefined();
    const offset = slot === 0 ? ', (%rdx)' : `, ${8 * slot}(%rdx)`;
    expect(savedBy).toEqual([{ file: SAVE.name, line: lineOf(SAVE.text, offset) }]);
    const from = slot === 0 ? ' (%rax)' : ` ${8 * slot}(%rax)`;
    expect(restoredBy).toEqual([{ file: RESTORE.name, line: lineOf(RESTORE.text, from) }]);
  });
  expect(measured.failed).toBeUndefined();
  expect(measured.wrong).toEqual([]);
  expect(lost(measured)).toEqual(OF_LIBMILL);
});

it('turns both lines red when a slot is another one for the save than for the restore', async () => {
  const broken = sourceOf('mill_setjmp.s', '%r13, 32(%rdx)', '%r13, 40(%rdx)');
  const measured = await measure(broken);
  expect(slotAt(measured, 32)).toMatchObject({
    saved: undefined,
    restored: 'r13',
    wrong: expect.stringMatching(/nothing is saved here/),
  });
  expect(slotAt(measured, 40)).toMatchObject({ saved: 'r14', restored: 'r14', wrong: undefined });
  // Line 21 is overwritten by line 22, which is right.
  expect(redLines(measured)).toEqual([place(RESTORE, '32(%rax)'), place(SAVE, '32(%rdx)')].sort());
  expect(lost(measured)).toEqual(['r13', ...OF_LIBMILL]);
});

it('follows a slot that has moved in both, and says when it has left the ctx', async () => {
  const moved = (place: string) => [
    sourceOf('mill_setjmp.s', '%r13, 32(%rdx)', `%r13, ${place}(%rdx)`),
    sourceOf('mill_longjmp.s', '32(%rax), %r13', `${place}(%rax), %r13`),
  ];
  const measured = await measure(...moved('80'));
  expect(lost(measured)).toEqual(OF_LIBMILL);
  expect(slotAt(measured, 80)).toMatchObject({
    saved: 'r13',
    restored: 'r13',
    wrong: expect.stringMatching(/80 bytes/),
  });
  expect(redLines(measured)).toEqual([place(RESTORE, '32(%rax)'), place(SAVE, '32(%rdx)')].sort());
});

it.each<[string, string, string, string, string[], RegExp]>([
  ['half of a register', 'mill_setjmp.s', 'mov     %r13, 32', 'movl    %r13d, 32', ['r13'], /low 32 bits/],
  [
    'two registers swapped by the restore',
    'mill_longjmp.s',
    '40(%rax), %r14',
    '48(%rax), %r14',
    ['r14'],
    /r14 is saved here and never restored/,
  ],
  [
    'a store left out',
    'mill_setjmp.s',
    'mov     %rbx, (%rdx)',
    'nop',
    ['rbx'],
    /nothing is saved here, and rbx is loaded/,
  ],
])('finds %s', async (_, file, text, other, registers, why) => {
  const measured = await measure(sourceOf(file, text, other));
  expect(lost(measured).filter((id) => !OF_LIBMILL.includes(id))).toEqual(registers);
  expect(measured.wrong.map(({ message }) => message).join('\n')).toMatch(why);
});

it('says where a switch ends that nobody comes back from', async () => {
  const jump = sourceOf('mill_longjmp.s', 'jmp     *%rdx', 'jmp     *%rbx');
  const measured = await measure(jump);
  expect(measured.failed).toMatch(/crashes/);
  expect(redLines(measured)).toContain(place(jump, 'jmp     *%rbx'));
  const endless = await measure(sourceOf('mill_setjmp.s', 'xor     %rax, %rax', '1:      jmp     1b'));
  expect(endless.failed).toMatch(/never returns/);
});

it('says what cannot be assembled, where it is written', async () => {
  const reply = await openWorkshop().measure({
    runtime: [sourceOf('mill_setjmp.s', '%r13, 32(%rdx)', '%r16, 32(%rdx)')],
  });
  // "        mov     %r16, …": 8 columns, mov, 5 more.
  expect(reply).toMatchObject({
    kind: 'problems',
    problems: [{ file: 'mill_setjmp.s', line: lineOf(SAVE.text, '32(%rdx)'), column: 17, length: 4 }],
  });
});
