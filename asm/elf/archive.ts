import { ObjectError, quote } from './errors.js';
import { type ObjectFile, type ObjectSymbol, readObject } from './object.js';

const MAGIC = '!<arch>\n';
const THIN_MAGIC = '!<thin>\n';
const HEADER = 60;
/** Fields of a member's header, in characters: where they begin and how long they are. */
const NAME = [0, 16] as const;
const SIZE = [48, 10] as const;
const END_OF_HEADER = [58, 2] as const;
const HEADER_ENDS = '`\n';
const INDEX = '/';
const INDEX_64 = '/SYM64/';
const LONG_NAMES = '//';
const BSD_NAME = '#1/';
const ELF_MAGIC = '\x7fELF';

/** One file of an archive. `header` is where its header begins in the archive. */
interface Member {
  readonly name: string;
  readonly header: number;
  readonly bytes: Uint8Array;
}

// As the names of symbols are read from objects.
const utf8 = new TextDecoder();

/**
 * An archive of object files (`.a`) as System V, GNU and BSD ar write it, with the index of its symbols if that is
 * System V's; for another the objects are asked. Members are otherwise read when they are first needed.
 */
export class Archive {
  readonly #members = new Map<number, Member>();
  readonly #objects = new Map<number, ObjectFile>();
  /** Where the header of the member is that defines a name: the first one, as linkers take it. */
  readonly #index = new Map<string, number>();

  /**
   * @param name what messages call it
   * @throws ObjectError if it is damaged, or no archive
   */
  constructor(
    readonly name: string,
    bytes: Uint8Array,
  ) {
    const magic = utf8.decode(bytes.subarray(0, MAGIC.length));
    if (magic === THIN_MAGIC) {
      throw new ObjectError(name, 'a thin archive, which only says where objects are: make a whole one with ar rcs');
    }
    if (magic !== MAGIC) throw new ObjectError(name, 'not an archive: make one with ar rcs');
    let longNames: Uint8Array = new Uint8Array();
    let index: { readonly bytes: Uint8Array; readonly wide: boolean } | undefined;
    for (let header = MAGIC.length; header < bytes.length; ) {
      const field = ([start, length]: readonly [number, number]): string =>
        utf8.decode(bytes.subarray(header + start, header + start + length));
      const size = /^(\d+) *$/.exec(field(SIZE))?.[1];
      const start = header + HEADER;
      if (size === undefined || field(END_OF_HEADER) !== HEADER_ENDS) throw this.#damaged(`no member at ${header}`);
      const end = start + Number(size);
      if (end > bytes.length) throw this.#damaged(`the member at ${header} ends at ${end} of ${bytes.length} bytes`);
      const written = field(NAME).trimEnd();
      const content = bytes.subarray(start, end);
      if (written === INDEX || written === INDEX_64) index ??= { bytes: content, wide: written === INDEX_64 };
      else if (written === LONG_NAMES) longNames = content;
      else this.#members.set(header, { header, ...this.#nameOf(written, content, longNames) });
      // Members begin at even offsets.
      header = end + (end % 2);
    }
    if (index === undefined) this.#makeIndex();
    else this.#readIndex(index.bytes, index.wide ? 8 : 4);
  }

  /** The member that defines a global name. @throws ObjectError if it is not an object that can be used */
  defining(symbol: string): ObjectFile | undefined {
    const header = this.#index.get(symbol);
    const member = header === undefined ? undefined : this.#members.get(header);
    return member && this.#object(member);
  }

  #object(member: Member): ObjectFile {
    const known = this.#objects.get(member.header);
    if (known !== undefined) return known;
    const object = readObject({ name: `${this.name}(${member.name})`, bytes: member.bytes });
    this.#objects.set(member.header, object);
    return object;
  }

  #damaged(how: string): ObjectError {
    return new ObjectError(this.name, `truncated or damaged archive: ${how}`);
  }

  /**
   * GNU ar ends names with a slash, and keeps long ones elsewhere: `/` and their offset. BSD ar has long ones before the
   * content: `#1/` and their length, zeros included.
   */
  #nameOf(written: string, content: Uint8Array, longNames: Uint8Array): { name: string; bytes: Uint8Array } {
    const [, kind, number] = /^(\/|#1\/)(\d+)$/.exec(written) ?? [];
    if (kind === undefined) return { name: written.replace(/\/$/, ''), bytes: content };
    const value = Number(number);
    if (kind === BSD_NAME) {
      if (value > content.length) throw this.#damaged(`a member has ${content.length} bytes, ${value} being its name`);
      return { name: utf8.decode(content.subarray(0, value)).replace(/\0+$/, ''), bytes: content.subarray(value) };
    }
    const end = longNames.indexOf('\n'.charCodeAt(0), value);
    if (value >= longNames.length || end < 0) throw this.#damaged(`no member is named ${quote(written)}`);
    return { name: utf8.decode(longNames.subarray(value, end)).replace(/\/$/, ''), bytes: content };
  }

  /** The index: how many entries, for each where its member begins, and all names. Big-endian, of words that wide. */
  #readIndex(bytes: Uint8Array, width: 4 | 8): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const word = (at: number): number => {
      if (at + width > bytes.length) throw this.#damaged('its index of symbols is cut off');
      return width === 4 ? view.getUint32(at) : Number(view.getBigUint64(at));
    };
    const count = word(0);
    let name = (count + 1) * width;
    if (name > bytes.length) throw this.#damaged(`its index has no room for ${count} symbols`);
    for (let entry = 0; entry < count; entry++) {
      const header = word((entry + 1) * width);
      const end = bytes.indexOf(0, name);
      if (end < 0) throw this.#damaged('the names in its index are cut off');
      const symbol = utf8.decode(bytes.subarray(name, end));
      if (!this.#members.has(header)) throw this.#damaged(`its index says that ${quote(symbol)} is at ${header}`);
      if (!this.#index.has(symbol)) this.#index.set(symbol, header);
      name = end + 1;
    }
  }

  /** For an archive made with `ar S`, or by hand. What is no object defines nothing. */
  #makeIndex(): void {
    for (const member of this.#members.values()) {
      if (utf8.decode(member.bytes.subarray(0, ELF_MAGIC.length)) !== ELF_MAGIC) continue;
      for (const symbol of this.#object(member).symbols) {
        if (isDefinition(symbol) && !this.#index.has(symbol.name)) this.#index.set(symbol.name, member.header);
      }
    }
  }
}

function isDefinition({ binding, home }: ObjectSymbol): boolean {
  return binding !== 'local' && home !== 'undefined';
}

function hasValue(symbol: ObjectSymbol): boolean {
  return isDefinition(symbol) && symbol.home !== 'common';
}

/** The member that defines a name. What comes behind it is not looked at: it need not be usable. */
function first(archives: readonly Pick<Archive, 'defining'>[], name: string): ObjectFile | undefined {
  for (const archive of archives) {
    const member = archive.defining(name);
    if (member !== undefined) return member;
  }
  return undefined;
}

/**
 * The members of archives that objects need, and those that these need in turn. All archives are searched for each
 * name, so their order matters only for a name that two of them define: the first one's member is taken. As in GNU ld
 * a common symbol, which is room without a value, needs a member that has a value for it, but no other.
 * @param words names that are wanted if an archive defines them
 * @param provided names that need no member
 * @throws ObjectError if a member cannot be used
 */
export function neededMembers(
  objects: readonly ObjectFile[],
  words: Iterable<string>,
  archives: readonly Pick<Archive, 'defining'>[],
  provided: Pick<ReadonlySet<string>, 'has'>,
): ObjectFile[] {
  const defined = new Set<string>();
  const commons = new Set<string>();
  const wanted = new Set<string>(words);
  const needed = new Set<ObjectFile>();
  const values = new Map<ObjectFile, ReadonlySet<string>>();
  const valuesOf = (member: ObjectFile): ReadonlySet<string> => {
    const known = values.get(member) ?? new Set(member.symbols.filter(hasValue).map(({ name }) => name));
    values.set(member, known);
    return known;
  };
  const add = ({ symbols }: ObjectFile): void => {
    for (const symbol of symbols) {
      if (hasValue(symbol)) defined.add(symbol.name);
      else if (symbol.binding === 'global') wanted.add(symbol.name);
      if (symbol.home === 'common') commons.add(symbol.name);
    }
  };
  objects.forEach(add);
  // What is added on the way is visited too.
  for (const name of wanted) {
    if (defined.has(name) || provided.has(name)) continue;
    const member = first(archives, name);
    // An index may lie: a member that does not define the name is not added again and again.
    if (member === undefined || needed.has(member) || (commons.has(name) && !valuesOf(member).has(name))) continue;
    needed.add(member);
    add(member);
  }
  return [...needed];
}
