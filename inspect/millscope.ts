/** The library: a machine to run guest programs in, and libmill's functions for bodies written in TypeScript. */
export { LinkError, ObjectError, UnresolvedSymbols } from '../asm/elf/errors.js';
export { type ObjectFile, readObject } from '../asm/elf/object.js';
export { AssemblyError, type Problem, UndefinedSymbol } from '../asm/errors.js';
export { Image } from '../asm/image.js';
export type { Snapshot, Stop } from '../emu/cpu.js';
export { Cpu } from '../emu/cpu.js';
export { BadAddress, EngineError, MachineError, OutOfMemory } from '../emu/errors.js';
export type { Fault, FaultKind } from '../emu/fault.js';
export { DEFAULT_MEMORY, ENGINES, type MachineOptions, openCpu } from '../emu/open.js';
export { GENERAL_REGISTERS, REGISTERS, type RegisterName } from '../emu/registers.js';
export type { Argument, Body, Operation, OperationResult } from '../runtime/bodies.js';
export { type DeadlockReport, explainDeadlock, type WaitedFor, type Waiter } from '../runtime/deadlock.js';
export { Deadlock, MillError, Misuse, Panic, StackEscape, UnknownSystemCall } from '../runtime/errors.js';
export type { ChannelOperation, Output, ProcessEvents, Switch, TimerEvent, Transfer } from '../runtime/events.js';
export { CTX_SLOTS, type CtxSlot, STRUCTURES } from '../runtime/layout.js';
export { libmill } from '../runtime/libmill.js';
export {
  type Channel,
  type Chosen,
  type Clause,
  call,
  callForBytes,
  chclose,
  chdone,
  chdup,
  chmake,
  choose,
  chr,
  chrBytes,
  chs,
  cls,
  type Element,
  go,
  goprepare,
  goredump,
  gotrace,
  msleep,
  now,
  print,
  setcls,
} from '../runtime/operations.js';
export {
  type Outcome,
  Process,
  type ProcessOptions,
  type SavedProcess,
} from '../runtime/process.js';
export { check } from './contract/check.js';
export type { Clause as ContractClause, Verdict } from './contract/clauses.js';
export { loadEngine } from './engine.js';
export { HistoryError, UsageError } from './errors.js';
export { openLinked } from './guest.js';
export type { HistoryOptions, MoveOptions, RecordedOutput } from './history.js';
export { type LayoutData, layoutData, type SlotData } from './layout/data.js';
export { type Layout, layoutOf, type Slot } from './layout/layout.js';
export { RunLinkError } from './link/error.js';
export { readLink, writeLink } from './link/link.js';
export type { LinkedFile, LinkedObject, LinkedRun, LinkedText } from './link/linked-run.js';
export type { Code } from './probe/code.js';
export { type Measurement, measure } from './probe/measure.js';
export { NothingToMeasure, prepare, type SwitchOptions } from './probe/prepare.js';
export { loadProgram, readFiles } from './program.js';
export { assembleProgram, linkProgram } from './program-image.js';
export { Session, type Watched, type Watchpoint } from './session.js';
export {
  type ChannelView,
  type CoroutineView,
  type Frame,
  framesOf,
  registersOf,
  type Survey,
  survey,
  type TimerView,
} from './survey.js';
export { type Half, recordSwitches, type Slots, type SwitchRecord } from './switches.js';
