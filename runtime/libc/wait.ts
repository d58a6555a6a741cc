import type { Host, HostFunctions } from './host.js';

const ECHILD = 10;
const EINVAL = 22;
/** WNOHANG, WUNTRACED and WCONTINUED, which change nothing where every child has ended. */
const OPTIONS = 1 | 2 | 8;

/** sys/wait.h's functions: nobody ever waits, since a child runs to its end before its parent goes on. */
export function waitFunctions({ memory, processes, fail }: Host): HostFunctions {
  const wait = (id: number, statusTo: number): number => {
    const child = processes.wait(id);
    if (child === undefined) {
      fail(ECHILD);
      return -1;
    }
    if (statusTo !== 0) memory.setU32(statusTo, child.status);
    return child.id;
  };
  return {
    wait: (call) => wait(-1, call.pointer(0)),
    waitpid: (call) => {
      if ((call.unsigned(2) & ~OPTIONS) !== 0) {
        fail(EINVAL);
        return -1;
      }
      return wait(call.int(0), call.pointer(1));
    },
  };
}
