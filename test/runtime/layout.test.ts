import { describe, expect, it } from 'vitest';
import { CTX_SLOTS, MILL_CR, STRUCTURES } from '../../runtime/layout.js';
import { libmill } from '../../runtime/libmill.js';

/** Offset and size of each field as a C program printed them that was built with gcc 12 against libmill 1.18. */
const MEASURED = {
  mill_cr: {
    size: 248,
    fields: {
      state: [0, 4],
      is_ready: [4, 4],
      ready: [8, 8],
      timer: [16, 32],
      fd: [48, 4],
      events: [52, 4],
      choosedata: [56, 40],
      ctx: [96, 80],
      result: [176, 4],
      valbuf: [184, 8],
      valbuf_sz: [192, 8],
      clsval: [200, 8],
      debug: [208, 40],
    },
  },
  mill_timer: { size: 32, fields: { item: [0, 16], expiry: [16, 8], callback: [24, 8] } },
  mill_choosedata: { size: 40, fields: { clauses: [0, 16], othws: [16, 4], ddline: [24, 8], available: [32, 4] } },
  mill_debug_cr: { size: 40, fields: { item: [0, 16], id: [16, 4], created: [24, 8], current: [32, 8] } },
  mill_chan: {
    size: 136,
    fields: {
      sz: [0, 8],
      sender: [8, 32],
      receiver: [40, 32],
      refcount: [72, 4],
      done: [76, 4],
      bufsz: [80, 8],
      items: [88, 8],
      first: [96, 8],
      debug: [104, 32],
    },
  },
  mill_ep: { size: 32, fields: { type: [0, 4], seqnum: [4, 4], refs: [8, 4], tmp: [12, 4], clauses: [16, 16] } },
  mill_clause: {
    size: 64,
    fields: {
      epitem: [0, 16],
      chitem: [16, 8],
      cr: [24, 8],
      ep: [32, 8],
      val: [40, 8],
      idx: [48, 4],
      available: [52, 4],
      used: [56, 4],
    },
  },
  mill_debug_chan: { size: 32, fields: { item: [0, 16], id: [16, 4], created: [24, 8] } },
} as const;

describe('layout', () => {
  it.each(STRUCTURES.map((structure) => [structure.name, structure] as const))(
    '%s has the offsets and sizes that gcc gave libmill',
    (name, structure) => {
      const fields = Object.fromEntries(
        Object.entries(structure.fields).map(([field, { offset, size }]) => [field, [offset, size]]),
      );
      expect({ size: structure.size, fields }).toEqual(MEASURED[name as keyof typeof MEASURED]);
    },
  );

  it('describes every structure that was measured', () => {
    expect(STRUCTURES.map(({ name }) => name).sort()).toEqual(Object.keys(MEASURED).sort());
  });

  it('numbers the ten slots as the sequences use them', () => {
    expect(CTX_SLOTS).toEqual(['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rip', 'rdi', 'rsi']);
    expect(MILL_CR.fields.ctx.size).toBe(CTX_SLOTS.length * 8);
  });

  it('agrees with the offsets that the guest side has of its own', () => {
    const image = libmill();
    const sizes = new Map<string, number>(STRUCTURES.map(({ name, size }) => [`${name}_size`, size]));
    const offsets = STRUCTURES.flatMap(({ name, fields }) =>
      Object.entries(fields).map(([field, { offset }]) => [`${name}_${field}`, offset] as const),
    );
    const known = new Map([...sizes, ...offsets]);
    const constants = [...image.symbols].filter(([name]) => known.has(name));
    expect(constants.map(([name]) => name)).toEqual(expect.arrayContaining(['mill_cr_ctx', 'mill_clause_size']));
    for (const [name, value] of constants) expect(Number(value), name).toBe(known.get(name));
  });

  it('has room for what the guest side reserves', () => {
    const image = libmill();
    const labels = [...image.symbols.values()]
      .filter((value) => value >= image.symbol('mill_running'))
      .sort((a, b) => Number(a - b));
    const room = (name: string): bigint =>
      (labels.find((value) => value > image.symbol(name)) ?? 0n) - image.symbol(name);
    expect(room('mill_main')).toBeGreaterThanOrEqual(BigInt(MILL_CR.size));
    expect(image.symbol('mill_main') % 8n).toBe(0n);
    expect(image.symbol('errno') - image.symbol('mill_main_valbuf')).toBeGreaterThanOrEqual(128n);
  });
});
