/** How a field is to be read: an integer of that many bits, a pointer, a structure within, or an array of ctx slots. */
export type FieldType =
  | 'i32'
  | 'i64'
  | 'u64'
  | 'pointer'
  | 'slist'
  | 'slist_item'
  | 'list'
  | 'list_item'
  | 'struct'
  | 'ctx';

export interface Field {
  /** In bytes from the start of the structure. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
  readonly type: FieldType;
}

export interface Structure {
  /** As in libmill's source. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly fields: Readonly<Record<string, Field>>;
}

const SIZES: Readonly<Record<Exclude<FieldType, 'struct'>, number>> = {
  i32: 4,
  i64: 8,
  u64: 8,
  pointer: 8,
  slist: 16,
  slist_item: 8,
  list: 16,
  list_item: 16,
  ctx: 80,
};

function field(type: Exclude<FieldType, 'struct'>, offset: number): Field {
  return { offset, size: SIZES[type], type };
}

function inner(structure: Structure, offset: number): Field {
  return { offset, size: structure.size, type: 'struct' };
}

/** The ten slots of a ctx in their order, by the register each holds; `rip` is the return address. */
export const CTX_SLOTS = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rip', 'rdi', 'rsi'] as const;
export type CtxSlot = (typeof CTX_SLOTS)[number];
/** Bytes of a slot. */
export const SLOT_BYTES = 8;

/*
 * libmill 1.18 on x86_64, System V ABI. All that knows where a field is derives from these tables: the runtime, the
 * inspector, the golden files.
 */

export const MILL_TIMER = {
  name: 'mill_timer',
  size: 32,
  fields: {
    item: field('list_item', 0),
    /** In ms; -1 while the timer is not armed. */
    expiry: field('i64', 16),
    callback: field('pointer', 24),
  },
} as const satisfies Structure;

export const MILL_CHOOSEDATA = {
  name: 'mill_choosedata',
  size: 40,
  fields: {
    clauses: field('slist', 0),
    othws: field('i32', 16),
    /** In ms; -1 for none. */
    ddline: field('i64', 24),
    available: field('i32', 32),
  },
} as const satisfies Structure;

export const MILL_DEBUG_CR = {
  name: 'mill_debug_cr',
  size: 40,
  fields: {
    item: field('list_item', 0),
    id: field('i32', 16),
    /** Strings "file.c:123", or NULL: where the coroutine was made and where it waits. */
    created: field('pointer', 24),
    current: field('pointer', 32),
  },
} as const satisfies Structure;

export const MILL_CR = {
  name: 'mill_cr',
  size: 248,
  fields: {
    /** One of {@link CR_STATES}; for people only, no decision depends on it. */
    state: field('i32', 0),
    is_ready: field('i32', 4),
    /** Item of the ready queue; valid while is_ready is 1. */
    ready: field('slist_item', 8),
    timer: inner(MILL_TIMER, 16),
    /** Valid while the coroutine is in fdwait; otherwise -1. */
    fd: field('i32', 48),
    events: field('i32', 52),
    choosedata: inner(MILL_CHOOSEDATA, 56),
    /** Valid while the coroutine is not running. */
    ctx: field('ctx', 96),
    /** What the pending mill_suspend will return; valid while is_ready is 1. */
    result: field('i32', 176),
    /** A buffer on the heap, for values larger than the one below mill_cr; or NULL. */
    valbuf: field('pointer', 184),
    valbuf_sz: field('u64', 192),
    clsval: field('pointer', 200),
    debug: inner(MILL_DEBUG_CR, 208),
  },
} as const satisfies Structure;

export const MILL_DEBUG_CHAN = {
  name: 'mill_debug_chan',
  size: 32,
  fields: {
    item: field('list_item', 0),
    id: field('i32', 16),
    created: field('pointer', 24),
  },
} as const satisfies Structure;

export const MILL_EP = {
  name: 'mill_ep',
  size: 32,
  fields: {
    /** 0 for a sender, 1 for a receiver. */
    type: field('i32', 0),
    /** The choose statement that named this endpoint last. */
    seqnum: field('i32', 4),
    /** How many of that statement's clauses name it. */
    refs: field('i32', 8),
    /** How many more of them are to be passed over; -1 before, -2 after one was taken. */
    tmp: field('i32', 12),
    /** Clauses that wait here, first come first. */
    clauses: field('list', 16),
  },
} as const satisfies Structure;

export const MILL_CHAN = {
  name: 'mill_chan',
  size: 136,
  fields: {
    /** Bytes of an element. The elements follow the structure: bufsz of them, and chdone's value. */
    sz: field('u64', 0),
    sender: inner(MILL_EP, 8),
    receiver: inner(MILL_EP, 40),
    /** Handles that are open; 0 once the channel is no more. */
    refcount: field('i32', 72),
    done: field('i32', 76),
    bufsz: field('u64', 80),
    items: field('u64', 88),
    /** Index of the element to be received next. */
    first: field('u64', 96),
    debug: inner(MILL_DEBUG_CHAN, 104),
  },
} as const satisfies Structure;

export const MILL_CLAUSE = {
  name: 'mill_clause',
  size: 64,
  fields: {
    /** Item of the endpoint's list; valid while the coroutine waits and `used` is 1. */
    epitem: field('list_item', 0),
    /** Item of the choose statement's list. */
    chitem: field('slist_item', 16),
    cr: field('pointer', 24),
    ep: field('pointer', 32),
    /** What to send; NULL in a clause that receives. */
    val: field('pointer', 40),
    idx: field('i32', 48),
    available: field('i32', 52),
    used: field('i32', 56),
  },
} as const satisfies Structure;

/** Names of the values of mill_cr's `state`. */
export const CR_STATES = ['READY', 'MSLEEP', 'FDWAIT', 'CHR', 'CHS', 'CHOOSE'] as const;
export type CrState = (typeof CR_STATES)[number];

/** Every structure, for those who show or check them all. */
export const STRUCTURES: readonly Structure[] = [
  MILL_CR,
  MILL_TIMER,
  MILL_CHOOSEDATA,
  MILL_DEBUG_CR,
  MILL_CHAN,
  MILL_EP,
  MILL_CLAUSE,
  MILL_DEBUG_CHAN,
];

/** Offsets of a structure's fields, for code that reads them. */
export function offsets<S extends Structure>(structure: S): { readonly [F in keyof S['fields']]: number } {
  const entries = Object.entries(structure.fields).map(([name, { offset }]) => [name, offset]);
  return Object.fromEntries(entries) as { [F in keyof S['fields']]: number };
}
