import { expect, it } from 'vitest';
import { layoutTable } from '../../../inspect/vitest/layout-snapshot.js';
import { loadSwitch } from '../../../inspect/vitest.js';
import { loadRelay } from './relay.js';

it('keeps a layout as a table, a slot a line', async () => {
  const relay = await loadRelay();
  expect(relay.layout).toMatchInlineSnapshot(`
    relay_switch: a swap, from ctx rdi to ctx rsi
    offset  bytes  saved             restored
    0       8      return address    return address
    8       8      rbx               rbx
    16      8      rsp               rsp
    24      8      rbp               rbp
    32      8      r12               r12
    40      8      r13               r13
    48      8      r14               r14
    56      8      r15               r15
    64      4      mxcsr             mxcsr
    68      2      x87 control word  x87 control word
  `);
  const libmill = await loadSwitch(['asm/mill_setjmp.s', 'asm/mill_longjmp.s']);
  expect({ libmill: libmill.layout }).toMatchInlineSnapshot(`
    {
      "libmill": mill_setjmp, mill_longjmp: a jump, ctx in rdx to save and in rax to restore
      offset  bytes  saved             restored
      0       8      rbx               rbx
      8       8      rbp               rbp
      16      8      r12               r12
      24      8      rsp               rsp
      32      8      r13               r13
      40      8      r14               r14
      48      8      r15               r15
      56      8      return address    return address, rdx
      64      8      rdi               rdi
      72      8      rsi               rsi,
    }
  `);
});

it('shows a slot that is otherwise as one line that is otherwise', async () => {
  const [before, after] = [await loadRelay(), await loadRelay('fldcw   68(%rsi)')].map(({ layout }) =>
    layoutTable(layout).split('\n'),
  );
  expect(after.map((line, index) => [before[index], line]).filter(([one, other]) => one !== other)).toEqual([
    ['68      2      x87 control word  x87 control word', '68      2      x87 control word'],
  ]);
});

it('leaves everything else to vitest', () => {
  expect({ slots: [], convention: 'none' }).toMatchInlineSnapshot(`
    {
      "convention": "none",
      "slots": [],
    }
  `);
  expect([1]).toMatchInlineSnapshot(`
    [
      1,
    ]
  `);
});
