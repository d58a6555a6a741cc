import { isEnclosed, type Marks } from './place.js';
import { define, isDefined, type Meaning } from './resolve.js';
import type { ObjectSection } from './section.js';

/** Symbols that every link has, for the code that starts a program. */
export function startupSymbols({ arrays, controlBlock }: Marks): [string, ObjectSection][] {
  const ends = arrays.flatMap(({ name, start, end }): [string, ObjectSection][] => {
    const stem = `__${name.slice(1)}`;
    return [
      [`${stem}_start`, start],
      [`${stem}_end`, end],
    ];
  });
  return [...ends, ['__thread_pointer', controlBlock]];
}

/** Symbols that GNU ld's default script defines for those who ask. */
function layoutSymbols(marks: Marks): [string, ObjectSection][] {
  return [
    ['_GLOBAL_OFFSET_TABLE_', marks.gotStart],
    ['_TLS_MODULE_BASE_', marks.tlsEnd],
    ['__dso_handle', marks.textStart],
    ['__executable_start', marks.textStart],
    ['_etext', marks.textEnd],
    ['etext', marks.textEnd],
    ['_edata', marks.dataEnd],
    ['edata', marks.dataEnd],
    ['__bss_start', marks.bssStart],
    ['_end', marks.bssEnd],
    ['end', marks.bssEnd],
  ];
}

/** Defines the linker's own symbols as far as the files name them and define them not. */
export function provide(globals: ReadonlyMap<string, Meaning>, sections: readonly ObjectSection[], marks: Marks): void {
  const first = new Map<string, ObjectSection>();
  const last = new Map<string, ObjectSection>();
  for (const section of sections.filter(isEnclosed)) {
    if (!first.has(section.name)) first.set(section.name, section);
    last.set(section.name, section);
  }
  const own = new Map([...startupSymbols(marks), ...layoutSymbols(marks)]);
  for (const meaning of globals.values()) {
    if (isDefined(meaning)) continue;
    const [, edge, name = ''] = /^__(start|stop)_(.+)$/s.exec(meaning.name) ?? [];
    const section = own.get(meaning.name) ?? (edge === 'start' ? first.get(name) : last.get(name));
    if (section) define(meaning, section, edge === 'stop' ? section.size : 0);
  }
}
