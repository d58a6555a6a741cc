import type { Section } from '../image.js';
import type { Area, Placement } from './place.js';
import { store } from './relocation.js';
import type { ObjectSection } from './section.js';

/** Between functions: int3, as lld has it, so that a program that goes astray stops. */
const GAP = 0xcc;

/** The bytes of a placed program, to be changed in place. */
export class Content {
  /** As an image has them: empty ones are left out. */
  readonly sections: readonly Section[];
  readonly #views: readonly { area: Area; view: DataView }[];

  constructor(private readonly placement: Placement) {
    const filled = placement.areas
      .filter(({ size }) => size > 0)
      .map((area) => {
        const bytes = new Uint8Array(area.name === '.bss' ? 0 : area.size);
        if (area.name === '.text') bytes.fill(GAP);
        for (const part of area.parts) {
          if (part.bytes.length > 0) bytes.set(part.bytes, this.placement.addressOf(part) - area.address);
        }
        return { area, bytes };
      });
    this.#views = filled.map(({ area, bytes }) => ({ area, view: new DataView(bytes.buffer) }));
    this.sections = filled.map(({ area: { name, address, size }, bytes }) => {
      return { name, address: BigInt(address), size, bytes };
    });
  }

  /** Writes the lowest `width` bytes of a value into a section. */
  write(section: ObjectSection, offset: number, width: number, value: bigint): void {
    const address = this.placement.addressOf(section) + offset;
    const found = this.#views.find(({ area }) => address >= area.address && address < area.address + area.size);
    if (found) store(found.view, address - found.area.address, width, value);
  }
}
