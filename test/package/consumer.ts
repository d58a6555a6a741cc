/** Uses the packed package as somebody else's TypeScript would: with its types, and nothing else installed. */
import {
  assembleProgram,
  type Body,
  go,
  libmill,
  loadEngine,
  openCpu,
  Process,
  print,
  recordSwitches,
} from 'millscope';

const worker: Body = function* () {
  yield* print('worker\n');
  yield;
  yield* print('worker again\n');
};
const main: Body = function* () {
  yield* go(worker);
  yield* print('main\n');
  yield;
  return 3;
};

await loadEngine();

/** Runs a program and returns what it printed, how often it switched, and how it ended. */
function run(program: ConstructorParameters<typeof Process>[2]): string {
  const cpu = openCpu({ memory: 64 << 20 });
  const guest = new Process(cpu, libmill(), program, ['consumer']);
  let printed = '';
  let switches = 0;
  guest.on('output', ({ bytes }) => {
    printed += new TextDecoder().decode(bytes);
  });
  recordSwitches(guest, () => {
    switches += 1;
  });
  const outcome = guest.run();
  const rsp: bigint = cpu.read('rsp');
  cpu.close();
  return JSON.stringify({ printed, switches, outcome, hasStack: rsp > 0n });
}

const expected = [
  '{"printed":"worker\\nmain\\nworker again\\n","switches":4,"outcome":{"kind":"exit","status":3},"hasStack":true}',
  '{"printed":"","switches":0,"outcome":{"kind":"exit","status":7},"hasStack":true}',
];
const got = [
  run(main),
  run(await assembleProgram({ name: 'seven.s', text: '.globl main\nmain: mov $7, %eax\nret\n' })),
];
if (JSON.stringify(got) !== JSON.stringify(expected)) throw new Error(`got ${got.join('\n')}`);
console.log('the packed package works');
