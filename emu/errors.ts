/** Base of what the machine reports: a message for people, saying what was being done, where, and what to do. */
export class MachineError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** The emulator itself could not be started or broke. */
export class EngineError extends MachineError {}

/** The guest asked for more memory than its machine has. */
export class OutOfMemory extends MachineError {}

export type Access = 'read' | 'write' | 'execute';

/** A guest address that the host was asked to use on the guest's behalf, and cannot. */
export class BadAddress extends MachineError {
  readonly address: bigint;
  readonly access: Access;

  constructor(address: number, access: Access) {
    super(`cannot ${access} guest memory at 0x${address.toString(16)}: nothing is mapped there for that`);
    this.address = BigInt(address);
    this.access = access;
  }
}
