/** A section for {@link writeObject}. */
export interface SectionText {
  readonly name: string;
  /** sh_type: PROGBITS (1) unless given. */
  readonly type?: number;
  /** sh_flags: ALLOC (2) unless given. */
  readonly flags?: number;
  readonly bytes?: readonly number[];
  /** Of what has no bytes. */
  readonly size?: number;
  readonly align?: number;
  readonly relocations?: readonly RelocationText[];
}

export interface RelocationText {
  readonly offset: number;
  /** An R_X86_64_ number. */
  readonly type: number;
  /** A name, or the number of a symbol. */
  readonly symbol: string | number;
  readonly addend?: bigint;
}

export interface SymbolText {
  readonly name: string;
  /** A section's name, or one of the special places; 'undefined' unless given. */
  readonly in?: string;
  readonly value?: bigint;
  readonly size?: number;
  /** STT_: NOTYPE (0) unless given. */
  readonly type?: number;
  /** Global unless given. */
  readonly binding?: 'local' | 'global' | 'weak';
}

export interface ObjectText {
  readonly sections?: readonly SectionText[];
  readonly symbols?: readonly SymbolText[];
  /** COMDAT groups: a symbol's name and sections' names. */
  readonly groups?: readonly { readonly signature: string; readonly sections: readonly string[] }[];
}

const SPECIAL: Readonly<Record<string, number>> = { undefined: 0, absolute: 0xfff1, common: 0xfff2 };
const BINDING = { local: 0, global: 1, weak: 2 } as const;

function little(size: number, value: bigint | number): number[] {
  const wide = BigInt.asUintN(64, BigInt(value));
  return Array.from({ length: size }, (_, at) => Number((wide >> BigInt(8 * at)) & 0xffn));
}

/** Names one after another; gives each one's offset. */
class Names {
  readonly bytes = [0];

  add(name: string): number {
    const at = this.bytes.length;
    for (const byte of new TextEncoder().encode(`${name}\0`)) this.bytes.push(byte);
    return at;
  }
}

/** An x86_64 relocatable ELF file as the gABI describes it: header, sections, section headers. Nothing is checked. */
export function writeObject({ sections = [], symbols = [], groups = [] }: ObjectText): Uint8Array {
  const file: number[] = Array<number>(64).fill(0);
  const headers: number[][] = [Array<number>(64).fill(0)];
  const names = new Names();
  const strings = new Names();
  const related = sections.filter(({ relocations }) => relocations !== undefined);
  const symbolTable = 1 + sections.length + related.length + groups.length;
  const add = (
    name: string,
    {
      type,
      flags = 0,
      bytes = [],
      size,
      align = 1,
      link = 0,
      info = 0,
      entry = 0,
    }: {
      type: number;
      flags?: number;
      bytes?: readonly number[];
      size?: number;
      align?: number;
      link?: number;
      info?: number;
      entry?: number;
    },
  ) => {
    while (file.length % 8 !== 0) file.push(0);
    const named = names.add(name);
    const fields = [little(4, named), little(4, type), little(8, flags), little(8, 0), little(8, file.length)];
    headers.push(
      [
        ...fields,
        little(8, size ?? bytes.length),
        little(4, link),
        little(4, info),
        little(8, align),
        little(8, entry),
      ].flat(),
    );
    for (const byte of bytes) file.push(byte);
  };
  const sectionNumber = (name: string) => 1 + sections.findIndex((each) => each.name === name);
  const symbolNumber = (symbol: string | number) => {
    return typeof symbol === 'number' ? symbol : 1 + symbols.findIndex(({ name }) => name === symbol);
  };
  for (const { name, type = 1, flags = 2, ...rest } of sections) add(name, { type, flags, ...rest });
  for (const { name, relocations = [] } of related) {
    const bytes = relocations.flatMap(({ offset, type, symbol, addend = 0n }) => {
      return [little(8, offset), little(4, type), little(4, symbolNumber(symbol)), little(8, addend)].flat();
    });
    add(`.rela${name}`, { type: 4, bytes, link: symbolTable, info: sectionNumber(name), entry: 24 });
  }
  for (const { signature, sections: members } of groups) {
    const bytes = [1, ...members.map(sectionNumber)].flatMap((word) => little(4, word));
    add('.group', { type: 17, bytes, link: symbolTable, info: symbolNumber(signature), entry: 4 });
  }
  const entries = symbols.map(
    ({ name, in: home = 'undefined', value = 0n, size = 0, type = 0, binding = 'global' }) => {
      const index = SPECIAL[home] ?? sectionNumber(home);
      const info = (BINDING[binding] << 4) | type;
      return [little(4, strings.add(name)), [info, 0], little(2, index), little(8, value), little(8, size)].flat();
    },
  );
  const table = [Array<number>(24).fill(0), ...entries].flat();
  add('.symtab', { type: 2, bytes: table, link: symbolTable + 1, info: 1, entry: 24 });
  add('.strtab', { type: 3, bytes: strings.bytes });
  // Its own name is the last one in it: there by the time the bytes are copied.
  add('.shstrtab', { type: 3, bytes: names.bytes });
  while (file.length % 8 !== 0) file.push(0);
  const start = file.length;
  for (const byte of headers.flat()) file.push(byte);
  const set = (at: number, bytes: readonly number[]) => file.splice(at, bytes.length, ...bytes);
  set(0, [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  set(16, [...little(2, 1), ...little(2, 62), ...little(4, 1)]);
  set(40, little(8, start));
  set(52, little(2, 64));
  set(58, [...little(2, 64), ...little(2, headers.length), ...little(2, headers.length - 1)]);
  return Uint8Array.from(file);
}

/** A file for {@link writeArchive}. */
export interface MemberText {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What the index says that it defines. */
  readonly defines?: readonly string[];
}

/**
 * An archive as GNU ar writes it: the index, if `width` is not 0 of words of so many bytes, the names that are longer
 * than 15 bytes, and the members. Nothing is checked.
 */
export function writeArchive(members: readonly MemberText[], width: 0 | 4 | 8 = 4): Uint8Array {
  const encode = (text: string): number[] => [...new TextEncoder().encode(text)];
  const big = (value: number): number[] => little(width, value).reverse();
  const part = (name: string, bytes: ArrayLike<number>): number[] => {
    const fields = [name.padEnd(16), '0'.padEnd(12), '0'.padEnd(6), '0'.padEnd(6), '644'.padEnd(8)];
    const header = encode(`${fields.join('')}${String(bytes.length).padEnd(10)}\`\n`);
    return [...header, ...Array.from(bytes), ...(bytes.length % 2 === 0 ? [] : encode('\n'))];
  };
  let longNames = '';
  const parts = members.map(({ name, bytes }) => {
    if (name.length < 16) return part(`${name}/`, bytes);
    longNames += `${name}/\n`;
    return part(`/${longNames.length - name.length - 2}`, bytes);
  });
  const entries = members.flatMap(({ defines = [] }, member) => defines.map((name) => ({ name, member })));
  const names = encode(entries.map(({ name }) => `${name}\0`).join(''));
  const long = longNames === '' ? [] : part('//', encode(longNames));
  const index = (starts: readonly number[]): number[] => {
    if (width === 0) return [];
    const words = [entries.length, ...entries.map(({ member }) => starts[member])].flatMap(big);
    return part(width === 4 ? '/' : '/SYM64/', [...words, ...names]);
  };
  let start = 8 + index(members.map(() => 0)).length + long.length;
  const starts = parts.map(({ length }) => {
    start += length;
    return start - length;
  });
  return Uint8Array.from([encode('!<arch>\n'), index(starts), long, ...parts].flat());
}
