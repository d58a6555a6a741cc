import { describe, expect, test } from 'vitest';
import { openGuest } from '../../../inspect/guest.js';
import { probedSwitch } from '../../../inspect/layout/probed.js';
import { DEFAULTS } from '../../../inspect/options.js';
import { Session } from '../../../inspect/session.js';
import { type MomentView, Viewer } from '../../../inspect/view/viewer.js';

const EXTENT = { code: 1, words: 1, coroutines: 1, output: 1, switches: 1, lane: 1 };
const PATHS = ['asm/mill_setjmp.s', 'asm/mill_longjmp.s'];
/** Of the table of ctx slots of libmill 1.18. */
const SLOTS = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'return address', 'rdi', 'rsi'];
/** What the sequences move by way of another register. */
const BY_WAY = { save: ['return address'], restore: ['rsp', 'return address'] };

/** The picture of each moment of the probe of libmill's sequences. */
async function pictures(): Promise<MomentView[]> {
  const options = { ...DEFAULTS, probe: true } as const;
  const guest = await openGuest({ paths: PATHS, arguments: [], options });
  const session = new Session(guest);
  const viewer = await Viewer.open(session, { probed: await probedSwitch(PATHS, options) });
  try {
    const seen: MomentView[] = [];
    while (session.outcome === undefined) {
      seen.push(await viewer.look(EXTENT));
      await session.step();
    }
    return seen;
  } finally {
    viewer.close();
    guest.cpu.close();
  }
}

describe('the context of a switch that is probed', () => {
  test('has each value travel when its instruction comes next, from its register and into it', async () => {
    const seen = await pictures();
    const moved = (travel: 'in' | 'out') =>
      seen.flatMap((view) => {
        const slot = view.probed?.slots.find((row) => row.travel === travel);
        return slot === undefined ? [] : [{ view, slot }];
      });
    const [stored, loaded] = [moved('in'), moved('out')];
    // In the order of the instructions, which is that of the slots.
    expect(stored.map(({ slot }) => slot.name)).toEqual(SLOTS);
    expect(loaded.map(({ slot }) => slot.name)).toEqual(SLOTS);
    expect(stored.map(({ slot }) => slot.place)).toEqual(SLOTS.map((_, index) => `${index * 8}`));
    for (const { view, slot } of stored.filter(({ slot }) => !BY_WAY.save.includes(slot.name))) {
      const register = view.registers.find(({ name }) => name === slot.name);
      expect({ slot: slot.name, value: slot.after }).toEqual({ slot: slot.name, value: register?.now });
      expect(view.probed?.state).toBe('being saved');
    }
    for (const { view, slot } of loaded.filter(({ slot }) => !BY_WAY.restore.includes(slot.name))) {
      const register = view.registers.find(({ name }) => name === slot.name);
      expect({ slot: slot.name, value: slot.held }).toEqual({ slot: slot.name, value: register?.after });
      expect(view.probed?.state).toBe('being restored');
    }
  });

  test('says how far it is: twelve instructions each way', async () => {
    const seen = await pictures();
    const steps = (state: string) =>
      seen.flatMap(({ probed }) => (probed?.state === state && probed.step !== undefined ? [probed.step] : []));
    const twelve = Array.from({ length: 12 }, (_, index) => ({ number: index + 1, of: 12 }));
    expect(steps('being saved')).toEqual(twelve);
    expect(steps('being restored')).toEqual(twelve);
    expect(seen[0].probed?.state).toBe('not saved');
    expect(seen.at(-1)?.probed?.state).toBe('restored');
    const done = seen.find(({ probed }) => probed?.state === 'being restored' && probed.step?.number === 4);
    expect(done?.probed?.slots.filter((slot) => slot.done).map(({ name }) => name)).toEqual(['rbx', 'rbp', 'r12']);
  });
});
