import type { Host, HostFunctions } from './host.js';

const ECHILD = 10;
const EINVAL = 22;
/** WNOHANG, WUNTRACED and WCONTINUED, which change nothing where every child has ended. */
const OPTIONS = 1 | 2 | 8;

/**
 * sys/wait.h's functions. A child runs to its end before its parent goes on, so that waiting is a jump of the virtual
 * clock to when it ended.
 */
export function waitFunctions({ memory, processes, clock, fail }: Host): HostFunctions {
  const wait = (id: number, statusTo: number): number => {
    const child = processes.wait(id);
    if (child === undefined) {
      fail(ECHILD);
      return -1;
    }
    clock.jump(child.time);
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
