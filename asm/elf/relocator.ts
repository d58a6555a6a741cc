import type { Content } from './content.js';
import { LinkError, quote, shown } from './errors.js';
import type { GlobalOffsetTable } from './got.js';
import { placeOf, type Reference } from './reference.js';
import { fits, type Terms } from './relocation.js';
import { isDefined, isThreadLocal, type Meaning } from './resolve.js';
import type { ObjectSection } from './section.js';

/** Unwinding tables may describe code that was discarded. */
const UNWINDING = /^\.(eh_frame|gcc_except_table)/;

const USED_AS_PLAIN = 'is a thread-local variable, but is used as if it were none';

function refusal({ file, section, offset, meaning: { name } }: Reference, reason: string): LinkError {
  const what = name === '' ? 'a number' : `symbol ${quote(name)}`;
  return new LinkError(`${placeOf(file, section, offset)}: ${what} ${reason}`);
}

/** Where a link has put what relocations refer to. */
export interface Addresses {
  readonly of: (section: ObjectSection) => bigint;
  /** The section of the global offset table. */
  readonly table: ObjectSection;
  /** Where fs points to. */
  readonly threadPointer: bigint;
  /** Symbols that the objects do not define. */
  readonly outside: ReadonlyMap<string, bigint>;
}

/** Puts addresses into the bytes of a program. */
export class Relocator {
  readonly #terms: Terms;

  constructor(
    private readonly content: Content,
    private readonly got: GlobalOffsetTable,
    private readonly addresses: Addresses,
  ) {
    const GOT = addresses.of(addresses.table);
    this.#terms = { S: 0n, A: 0n, P: 0n, G: 0n, GOT, Z: 0n, TP: addresses.threadPointer };
  }

  /** Fills the global offset table. */
  fillTable(): void {
    const { table, threadPointer } = this.addresses;
    for (const { meaning, kind, offset } of this.got.entries) {
      const words = {
        address: () => [this.#valueOf(meaning)],
        'thread offset': () => [this.#valueOf(meaning) - threadPointer],
        'thread pair': () => [1n, this.#valueOf(meaning) - threadPointer],
        // Offsets within the module count from the thread pointer.
        'module pair': () => [1n, 0n],
      }[kind]();
      words.forEach((word, at) => {
        this.content.write(table, offset + 8 * at, 8, word);
      });
    }
  }

  /** @throws LinkError if the value does not fit or the symbol is not of the kind that the place needs */
  apply(reference: Reference): void {
    const { section, offset, relocation, meaning, addend } = reference;
    this.#check(reference);
    const terms = this.#terms;
    terms.S = this.#valueOf(meaning);
    terms.A = addend;
    terms.P = this.addresses.of(section) + BigInt(offset);
    terms.G = relocation.entry ? BigInt(this.got.offset(meaning, relocation.entry)) : 0n;
    terms.Z = meaning.size;
    const value = relocation.value(terms);
    if (!fits(relocation, value)) {
      const bits = `${relocation.range === 'either' ? '' : `${relocation.range} `}${8 * relocation.width}-bit`;
      throw refusal(reference, `makes the value ${value} for ${relocation.name}, which is no ${bits} number`);
    }
    this.content.write(section, offset, relocation.width, value);
  }

  #check(reference: Reference): void {
    const { section, relocation, meaning } = reference;
    const { section: home, address } = meaning;
    if (relocation.tls !== undefined && relocation.tls !== isThreadLocal(meaning) && this.#isDefined(meaning)) {
      const how = relocation.tls ? 'is no thread-local variable, but is used as one' : USED_AS_PLAIN;
      throw refusal(reference, how);
    }
    if (home !== undefined && address === undefined && !UNWINDING.test(section.name)) {
      const where = `is in section ${quote(home.name)} of ${shown(meaning.file)}`;
      throw refusal(reference, `${where}, which is not part of the program`);
    }
  }

  #isDefined(meaning: Meaning): boolean {
    return isDefined(meaning) || this.addresses.outside.has(meaning.name);
  }

  /** 0 for a weak symbol that nobody defines: then also the address of a thread-local one is 0 when the code runs. */
  #valueOf({ name, address, section }: Meaning): bigint {
    if (address !== undefined) return address;
    return section === undefined ? (this.addresses.outside.get(name) ?? 0n) : 0n;
  }
}
