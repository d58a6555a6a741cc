/**
 * The command in a process that stays: it carries out one command line after the other, as `test/inspect/command.ts`
 * asks for them through one named pipe, and answers with its exit status through another. What the command writes goes
 * to the real descriptors 1 and 2, which are files.
 */
import { openSync, readSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , cli, requests, answers] = process.argv;
const LONGEST_REQUEST = 1 << 16;
// In the order in which the other side opens them: each waits for the other.
const from = openSync(requests, 'r');
const to = openSync(answers, 'w');
const buffer = Buffer.alloc(LONGEST_REQUEST);

for (let count = 0; ; count++) {
  const size = readSync(from, buffer);
  if (size === 0) break;
  const { args, env } = JSON.parse(buffer.toString('utf8', 0, size));
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, cli, ...args];
  process.exitCode = undefined;
  // By another name each time, so that it runs again; what it imports stays as it is. It is done when it is imported.
  await import(`${pathToFileURL(cli)}?${count}`);
  writeSync(to, `${process.exitCode ?? 0}\n`);
}
