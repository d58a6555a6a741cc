import type { LayoutData, SlotData } from './data.js';

function macro(name: string): string {
  return name.replaceAll(/\W+/g, '_').toUpperCase();
}

/** What a slot is called in C: its register, and its offset if that is not the only one. */
function slotMacro({ saved, offset }: SlotData, all: readonly SlotData[]): string {
  const name = saved ?? 'at';
  const isAlone = saved !== null && all.filter((other) => other.saved === saved).length === 1;
  return isAlone ? name : `${name}_${offset}`;
}

/** The offsets as a header for C and for assembly text that goes through the preprocessor. */
export function cHeader({ name, slots }: LayoutData): string {
  const prefix = macro(name);
  const lines = (area: 'ctx' | 'stack'): string[] => {
    const own = slots.filter((slot) => (slot.area ?? 'ctx') === area);
    if (own.length === 0) return [];
    const end = Math.max(...own.map(({ offset, size }) => offset + size));
    return [
      ...own.map((slot) => `#define ${prefix}_${macro(area)}_${macro(slotMacro(slot, own))} ${slot.offset}`),
      `#define ${prefix}_${macro(area)}_END ${end}`,
      '',
    ];
  };
  const guard = `${prefix}_LAYOUT_H`;
  return [
    `/* Offsets in bytes, as millscope has measured them: ${name}. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    ...lines('ctx'),
    ...lines('stack'),
    '#endif',
    '',
  ].join('\n');
}
