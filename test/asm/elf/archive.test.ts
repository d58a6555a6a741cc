import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Archive, neededMembers } from '../../../asm/elf/archive.js';
import { ObjectError } from '../../../asm/elf/errors.js';
import { Link } from '../../../asm/elf/link.js';
import { readObject } from '../../../asm/elf/object.js';
import { has, Workshop } from './compile.js';
import { writeArchive, writeObject } from './write.js';

type Homes = Readonly<Record<string, 'defined' | 'weak' | 'needed' | 'weakly needed' | 'common'>>;

/** An object with a byte of code for each symbol. */
function object(homes: Homes): Uint8Array {
  const symbols = Object.entries(homes).map(([name, home]) => ({
    name,
    in: home.endsWith('needed') ? 'undefined' : home === 'common' ? 'common' : '.text',
    value: home === 'common' ? 4n : 0n,
    size: 4,
    binding: home.startsWith('weak') ? ('weak' as const) : ('global' as const),
  }));
  return writeObject({ sections: [{ name: '.text', flags: 6, bytes: [0xc3] }], symbols });
}

const member = (name: string, homes: Homes) => {
  const defines = Object.keys(homes).filter((symbol) => !homes[symbol].endsWith('needed'));
  return { name, bytes: object(homes), defines };
};
const archive = (name: string, ...members: ReturnType<typeof member>[]): Archive =>
  new Archive(name, writeArchive(members));

/** Names of the members that an object with those symbols takes. */
function taken(homes: Homes, archives: readonly Archive[], provided: readonly string[] = [], words: string[] = []) {
  const main = readObject({ name: 'main.o', bytes: object(homes) });
  return neededMembers([main], words, archives, new Set(provided)).map(({ name }) => name);
}

/** One member of an archive as it is in the file, with all fields as given. */
const raw = (name: string, size: string, content = '', end = '`\n'): string =>
  `${name.padEnd(16)}${'0'.padEnd(32)}${size.padEnd(10)}${end}${content}`;
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const word = (value: number): string => String.fromCharCode(value >>> 24, value >>> 16, value >>> 8, value);

describe('an archive', () => {
  const f = member('f.o', { f: 'defined' });
  const g = member('g.o', { g: 'defined', f: 'needed' });

  it('gives the members that are needed, and those that these need, and no other', () => {
    const lib = archive('lib.a', member('h.o', { h: 'defined' }), f, g);
    expect(taken({ g: 'needed' }, [lib])).toEqual(['lib.a(g.o)', 'lib.a(f.o)']);
    expect(taken({ f: 'needed' }, [lib])).toEqual(['lib.a(f.o)']);
    expect(taken({ missing: 'needed' }, [lib])).toEqual([]);
  });

  it('gives nothing for what is defined already, provided, or only weakly needed', () => {
    const lib = archive('lib.a', f, g);
    expect(taken({ f: 'defined' }, [lib])).toEqual([]);
    expect(taken({ f: 'weak' }, [lib])).toEqual([]);
    expect(taken({ f: 'needed' }, [lib], ['f'])).toEqual([]);
    expect(taken({ f: 'weakly needed' }, [lib])).toEqual([]);
    // The second time it is needed in earnest.
    expect(taken({ f: 'weakly needed', g: 'needed' }, [lib])).toEqual(['lib.a(g.o)', 'lib.a(f.o)']);
    // What a member needs may be provided too.
    expect(taken({ g: 'needed' }, [lib], ['f'])).toEqual(['lib.a(g.o)']);
  });

  it('gives members for words that assembly text has', () => {
    const lib = archive('lib.a', f, g);
    expect(taken({}, [lib], [], ['mov', 'g'])).toEqual(['lib.a(g.o)', 'lib.a(f.o)']);
  });

  it('has a weak definition taken as any other', () => {
    expect(taken({ f: 'needed' }, [archive('lib.a', member('w.o', { f: 'weak' }))])).toEqual(['lib.a(w.o)']);
  });

  it('gives a value, but no more room, to a common symbol', () => {
    const room = archive('room.a', member('room.o', { f: 'common' }));
    const value = archive('value.a', member('value.o', { f: 'defined' }));
    expect(taken({ f: 'common' }, [room])).toEqual([]);
    expect(taken({ f: 'common' }, [value])).toEqual(['value.a(value.o)']);
    expect(taken({ f: 'needed' }, [room])).toEqual(['room.a(room.o)']);
  });

  it('may need another one that needs it, in either order', () => {
    const one = archive('one.a', member('a.o', { a: 'defined', b: 'needed' }), member('c.o', { c: 'defined' }));
    const two = archive('two.a', member('b.o', { b: 'defined', c: 'needed', a: 'needed' }));
    for (const archives of [
      [one, two],
      [two, one],
    ]) {
      expect(taken({ a: 'needed' }, archives)).toEqual(['one.a(a.o)', 'two.a(b.o)', 'one.a(c.o)']);
    }
  });

  it('comes before the next one that defines the name, whose member need not be usable then', () => {
    const one = archive('one.a', f);
    const two = archive('two.a', member('other.o', { f: 'defined' }));
    const bad = new Archive('bad.a', writeArchive([{ name: 'f.o', bytes: bytesOf('\x7fELF'), defines: ['f'] }]));
    expect(taken({ f: 'needed' }, [one, two])).toEqual(['one.a(f.o)']);
    expect(taken({ f: 'needed' }, [two, one])).toEqual(['two.a(other.o)']);
    expect(taken({ f: 'needed' }, [one, bad])).toEqual(['one.a(f.o)']);
    expect(() => taken({ f: 'needed' }, [bad, one])).toThrow(/^bad\.a\(f\.o\): truncated/);
  });

  it('gives the first of its members that define a name', () => {
    const lib = archive('lib.a', member('first.o', { f: 'defined' }), member('second.o', { f: 'defined' }));
    expect(taken({ f: 'needed' }, [lib])).toEqual(['lib.a(first.o)']);
  });

  it.each([0, 4, 8] as const)('is the same without an index and with one of words of %i bytes', (width) => {
    const named = (name: string, homes: Homes) => ({ ...member(name, homes), name });
    const text = { name: 'README', bytes: bytesOf('odd'), defines: [] };
    const long = 'a-name-that-is-too-long-for-its-field.o';
    const members = [text, named('utf-8.o', { größe: 'defined', f: 'needed' }), text, named(long, { f: 'defined' })];
    const lib = new Archive('lib.a', writeArchive(members, width));
    expect(taken({ größe: 'needed' }, [lib])).toEqual(['lib.a(utf-8.o)', `lib.a(${long})`]);
  });

  it('may be empty', () => {
    expect(taken({ f: 'needed' }, [new Archive('lib.a', bytesOf('!<arch>\n'))])).toEqual([]);
    expect(taken({ f: 'needed' }, [new Archive('lib.a', writeArchive([]))])).toEqual([]);
  });

  it("may be of BSD's format: its index is not read, long names are before the content", () => {
    const content = `long name.o\0${textOf(f.bytes)}`;
    const symdef = raw('__.SYMDEF', '8', '\0'.repeat(8));
    const text = `!<arch>\n${symdef}${raw('#1/12', String(content.length), content)}`;
    expect(taken({ f: 'needed' }, [new Archive('lib.a', bytesOf(text))])).toEqual(['lib.a(long name.o)']);
  });

  it('need not end in the byte that makes its size even', () => {
    const text = `!<arch>\n${raw('odd/', '3', 'odd')}`;
    expect(taken({ f: 'needed' }, [new Archive('lib.a', bytesOf(text))])).toEqual([]);
  });

  it('may have an index that lies about who defines a name: the linker then says that it is missing', () => {
    const lib = new Archive('lib.a', writeArchive([{ ...f, defines: ['h', 'f'] }]));
    expect(taken({ h: 'needed' }, [lib])).toEqual(['lib.a(f.o)']);
  });

  it.each(['needed', 'common'] as const)(
    'has each member gone through a few times at most, whatever its index says: %s',
    (home) => {
      const homes: Homes = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`symbol${at}`, home]));
      const lies = readObject({ name: 'lies.o', bytes: object(homes) });
      let times = 0;
      const member = {
        ...lies,
        get symbols() {
          times++;
          return lies.symbols;
        },
      };
      class Liar extends Archive {
        override defining() {
          return member;
        }
      }
      taken(homes, [new Liar('lib.a', writeArchive([]))]);
      expect(times).toBeGreaterThan(0);
      expect(times).toBeLessThan(5);
    },
  );

  const index = (...words: readonly (number | string)[]): string => {
    const content = words.map((each) => (typeof each === 'number' ? word(each) : each)).join('');
    return raw('/', String(content.length), content);
  };
  it.each([
    ['something else', 'hello, world', /^lib\.a: not an archive: make one with ar rcs$/],
    ['nothing', '', /^lib\.a: not an archive/],
    ['a thin archive', '!<thin>\n', /^lib\.a: a thin archive, .*make a whole one with ar rcs$/],
    ['half a header', `!<arch>\n${raw('f.o/', '0').slice(0, 59)}`, /^lib\.a: truncated or damaged archive: .* at 8$/],
    ['a header that does not end as one', `!<arch>\n${raw('f.o/', '0', '', '\n`')}`, /no member at 8/],
    ['no size', `!<arch>\n${raw('f.o/', '')}`, /no member at 8/],
    ['a size with a sign', `!<arch>\n${raw('f.o/', '-60')}`, /no member at 8/],
    ['a size that is too large', `!<arch>\n${raw('f.o/', '1', '')}`, /the member at 8 ends at 69 of 68 bytes/],
    ['a huge size', `!<arch>\n${raw('f.o/', '9999999999', 'x')}`, /ends at 10000000067 of 69 bytes/],
    ['no long name where it should be', `!<arch>\n${raw('/7', '0')}`, /no member is named "\/7"/],
    ['a long name without end', `!<arch>\n${raw('//', '2', 'ab')}${raw('/0', '0')}`, /no member is named "\/0"/],
    ['a BSD name longer than its member', `!<arch>\n${raw('#1/3', '2', 'ab')}`, /has 2 bytes, 3 being its name/],
    ['an index without a count', `!<arch>\n${raw('/', '3', '\0\0\0\n')}`, /index of symbols is cut off/],
    ['an index with a huge count', `!<arch>\n${index(2 ** 32 - 1, 8)}`, /no room for 4294967295 symbols/],
    ['an index without names', `!<arch>\n${index(1, 8)}`, /the names in its index are cut off/],
    ['an index of nowhere', `!<arch>\n${index(1, 9, 'f\0')}`, /its index says that "f" is at 9$/],
    ['an index that is its own member', `!<arch>\n${index(1, 8, 'f\0')}`, /its index says that "f" is at 8$/],
  ])('is refused if it is, or has, %s', (_, text, message) => {
    expect(() => new Archive('lib.a', bytesOf(text))).toThrow(ObjectError);
    expect(() => new Archive('lib.a', bytesOf(text))).toThrow(message);
  });

  it('does not read members that are not needed', () => {
    const bad = { name: 'bad.o', bytes: bytesOf('\x7fELF\x01'), defines: ['bad'] };
    const lib = new Archive('lib.a', writeArchive([bad, f]));
    expect(taken({ f: 'needed' }, [lib])).toEqual(['lib.a(f.o)']);
    expect(() => taken({ bad: 'needed' }, [lib])).toThrow(/^lib\.a\(bad\.o\): /);
    const nothing = new Archive('lib.a', writeArchive([{ name: 'text', bytes: bytesOf('text'), defines: ['f'] }]));
    expect(() => taken({ f: 'needed' }, [nothing])).toThrow(/^lib\.a\(text\): /);
  });
});

/** Sources of members. `taken` is by hand for what GNU ld is not asked about. */
const SOURCES: Readonly<Record<string, string>> = {
  main: 'int a(void), b(void); int main(void) { return a() + b(); }',
  a: 'int deep(void); int a(void) { return deep(); }',
  b: 'int own(void); __attribute__((weak)) int lonely(void); int b(void) { return lonely ? 1 : own(); }',
  deep: 'int depth = 3; int deep(void) { return depth; }',
  'a-member-with-quite-a-long-name': 'int own(void) { return 2; }',
  lonely: 'int lonely(void) { return 1; }',
  unneeded: 'int nobody; int unneeded(void) { return nobody; }',
  tentative: 'int common; int main(void) { return common; }',
  valued: 'int common = 5; int a_function(void) { return 1; }',
  roomy: 'int common;',
};
const LIBRARY = ['unneeded', 'lonely', 'a', 'b', 'a-member-with-quite-a-long-name', 'deep'];

describe.skipIf(!has('gcc', 'ar', 'ld'))('archives made by ar', () => {
  const workshop = new Workshop();
  afterAll(() => workshop.remove());
  for (const [name, text] of Object.entries(SOURCES)) {
    writeFileSync(workshop.path(`${name}.c`), text);
    workshop.run('gcc', '-c', '-fcommon', '-o', `${name}.o`, `${name}.c`);
  }
  const objects = (names: readonly string[]): string[] => names.map((name) => `${name}.o`);
  const make = (name: string, flags: string, names: readonly string[], tool = ['ar']): string => {
    const [command, ...first] = tool;
    workshop.run(command, ...first, flags, name, ...names);
    return name;
  };
  const read = (name: string): Archive => new Archive(name, readFileSync(workshop.path(name)));
  const needed = (main: string, archives: readonly string[]): string[] =>
    neededMembers([workshop.read(main)], [], archives.map(read), new Set()).map(({ name }) => name);
  /** What GNU ld takes, as `archive(member)`: the first paragraph of its map says so. */
  const takenByLd = (main: string, archives: readonly string[]): string[] => {
    const map = workshop.run('ld', '--print-map', '-e', 'main', '-o', 'linked', main, ...archives);
    const [, list = ''] = /^Archive member included[^\n]*\n\n(.*?)\n\n/ms.exec(map) ?? [];
    return [...list.matchAll(/^(\S+\(\S+\))/gm)].map(([, name]) => name).sort();
  };

  it('give the members that GNU ld takes', () => {
    make('lib.a', 'rcs', objects(LIBRARY));
    const members = needed('main.o', ['lib.a']);
    expect(takenByLd('main.o', ['lib.a'])).toEqual([...members].sort());
    expect(members.length).toBe(4);
    const link = new Link(
      [workshop.read('main.o'), ...neededMembers([workshop.read('main.o')], [], [read('lib.a')], new Set())],
      {
        base: 0x400000n,
      },
    );
    expect([...link.wanted.keys()]).toEqual([]);
    // What nothing needs is not there.
    expect(link.symbols.has('depth')).toBe(true);
    expect(link.symbols.has('nobody')).toBe(false);
  });

  it('give for a common symbol what GNU ld takes', () => {
    make('libvalued.a', 'rcs', objects(['valued']));
    make('libroomy.a', 'rcs', objects(['roomy']));
    for (const archives of [['libvalued.a'], ['libroomy.a']]) {
      expect(needed('tentative.o', archives)).toEqual(takenByLd('tentative.o', archives));
    }
    expect(needed('tentative.o', ['libvalued.a'])).toEqual(['libvalued.a(valued.o)']);
  });

  it('need no index, and may have what is no object between members', () => {
    writeFileSync(workshop.path('odd.txt'), 'odd');
    const expected = needed('main.o', [make('indexed.a', 'rcs', objects(LIBRARY))]).map((name) =>
      name.replace(/.*\(/, ''),
    );
    for (const [name, flags, tool] of [
      ['plain.a', 'rcS', ['ar']],
      ['mixed.a', 'rcs', ['ar']],
      ...(has('llvm-ar')
        ? ([
            ['llvm.a', 'rcs', ['llvm-ar']],
            ['bsd.a', 'rcs', ['llvm-ar', '--format=bsd']],
            ['darwin.a', 'rcs', ['llvm-ar', '--format=darwin']],
          ] as const)
        : []),
    ] as const) {
      make(name, flags, ['odd.txt', ...objects(LIBRARY)], [...tool]);
      expect(needed('main.o', [name])).toEqual(expected.map((each) => `${name}(${each}`));
    }
  });

  it('are refused when they are thin', () => {
    make('thin.a', 'rcT', objects(LIBRARY));
    expect(() => read('thin.a')).toThrow(/^thin\.a: a thin archive/);
  });
});
