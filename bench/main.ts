/** Speed and size as ratios of things measured in turn in one run: `npm run bench`; see --help. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { DIST } from './built.js';
import { insertInto } from './markdown.js';
import type { Effort } from './measure.js';
import { measure, PARTS } from './result.js';
import { tableText } from './table.js';

const FULL: Effort = { rounds: 5, divisor: 1 };
const QUICK: Effort = { rounds: 1, divisor: 50 };
const README = fileURLToPath(new URL('../README.md', import.meta.url));
const PICTURE = fileURLToPath(new URL('../fixtures/pictures/bench.svg', import.meta.url));

/** The parts that the picture shows. */
const DRAWN = ['switches', 'stepping'];

/** Measured only when they are named, so that the rest stays under five minutes. */
const ON_REQUEST = ['tracing', 'history', 'stepper', 'page'];

/** The parts that start the built package. */
const BUILT = ['start-up', 'memory'];

interface Options {
  readonly json?: true;
  readonly quick?: true;
  readonly picture?: string;
  readonly readme?: true;
}

const command = new Command('bench')
  .description('Measures millscope beside what else there is on this machine.')
  .argument('[parts...]', `any of: ${Object.keys(PARTS).join(', ')}; all but ${ON_REQUEST.join(' and ')} without any`)
  .option('--json', 'as data')
  .option('--quick', 'one short round: whether it works, not how fast')
  .option('--picture <file>', 'write the speeds as an SVG, too: of switches and stepping')
  .option('--readme', "measure all, write README's tables and picture")
  .parse();
const { json, quick, readme, picture: file } = command.opts<Options>();
const names =
  command.args.length === 0 ? Object.keys(PARTS).filter((name) => !ON_REQUEST.includes(name)) : command.args;
const unknown = names.find((name) => !Object.keys(PARTS).includes(name));
if (unknown !== undefined) command.error(`there is no part "${unknown}": ${Object.keys(PARTS).join(', ')}`);
if (readme && (command.args.length > 0 || quick)) command.error('--readme measures everything, and not quickly');

if (file !== undefined && !DRAWN.some((name) => names.includes(name)))
  command.error(`there is nothing to draw without any of ${DRAWN.join(', ')}`);
if (file !== undefined && !existsSync(dirname(file))) command.error(`there is no folder "${dirname(file)}"`);
if (BUILT.some((name) => names.includes(name)) && !existsSync(DIST)) command.error('there is no dist: npm run build');

const result = await measure(names, quick ? QUICK : FULL, (name) => {
  if (process.stderr.isTTY) process.stderr.write(`measuring ${name} ...\n`);
});
process.stdout.write(json ? `${JSON.stringify(result)}\n` : tableText(result));
const target = readme ? PICTURE : file;
if (target !== undefined) {
  // Here, not above: what draws takes longer to load than everything else.
  const { picture } = await import('./picture.js');
  writeFileSync(target, picture(result));
}
if (readme) writeFileSync(README, insertInto(readFileSync(README, 'utf8'), result));
