/** What a picture shows, in words: for whoever cannot see it. */
import { hex } from '../names.js';
import type { Travel } from '../view/context.js';
import type { Ending } from '../view/ending.js';
import type { Scene } from '../view/scene.js';
import type { StackView } from '../view/stack.js';
import type { Words } from '../web/words.js';

/** How both contexts are, and what the next instruction moves and changes. @param hidden leave the latter out */
export function travelText({ parties, view }: Scene, words: Words, hidden: boolean): string {
  const sentences = parties.map(({ context: { coroutine, state, step } }) => {
    const where = step === undefined ? '' : `, ${words.step(step.number, step.of)}`;
    return `${words.coroutine(coroutine)}: ${words.states[state]}${where}.`;
  });
  if (hidden) return sentences.join(' ');
  for (const { context } of parties) {
    for (const { travel, index, name } of context.slots) {
      if (travel === undefined) continue;
      const station = (one: Travel['from']): string => (one === 'slot' ? `${words.slot} ${index} ${name}` : one);
      sentences.push(`${words.moving(hex(travel.value), station(travel.from), station(travel.to))}.`);
    }
  }
  for (const { name, changes, after } of view.registers) {
    if (changes && name !== 'rip' && after !== undefined) sentences.push(`${words.changes(name, hex(after))}.`);
  }
  return sentences.join(' ');
}

/** Where the parts of a coroutine's memory are. */
export function stackText({ coroutine, low, high, end, rsp, rspIs, highWater, cr }: StackView, words: Words): string {
  const at = (address: number): string => hex(BigInt(address));
  const parts = [
    `${words.guard} ${at(low - 4096)}–${at(low)}`,
    `${words.unused} ${at(low)}–${at(highWater)}`,
    `${words.stack} ${at(highWater)}–${at(high)}`,
    ...(cr === undefined
      ? [words.elsewhere]
      : [`${words.valbuf} ${at(high)}–${at(cr)}`, `${words.cr} ${at(cr)}–${at(end)}`]),
    `rsp ${at(rsp)}${rspIs === 'saved' ? ` (${words.saved})` : ''}`,
  ];
  return `${words.coroutine(coroutine)}: ${parts.join(', ')}.`;
}

/** How a run has ended, in words. */
export function endingLines(ending: Ending, words: Words): string[] {
  switch (ending.kind) {
    case 'exit':
      return [words.exit(ending.status)];
    case 'abort':
      return [words.aborted(ending.message)];
    case 'fault': {
      const { what, access, target, region, guardOf } = ending;
      if (access === undefined || target === undefined) return [words.fault(what)];
      if (guardOf !== undefined) return [words.guardFault(words.coroutine(guardOf), access, hex(target))];
      return [words.fault(what), words.accessFault(access, hex(target), region ?? '')];
    }
    case 'deadlock': {
      const { waiters, cycle } = ending.report;
      const circle = cycle === undefined ? [] : [...cycle, cycle[0]].map(words.coroutine).join(' → ');
      return [
        words.deadlock,
        ...waiters.map(({ coroutine, operation, channels }) =>
          [words.waits(words.coroutine(coroutine), operation), ...channels.map((one) => peer(one, words))].join('; '),
        ),
        ...(circle.length === 0 ? [] : [`${words.circle} ${circle}`]),
      ];
    }
  }
}

type WaitedFor = (Ending & { kind: 'deadlock' })['report']['waiters'][number]['channels'][number];

function peer({ channel, wants, lastPeer }: WaitedFor, words: Words): string {
  if (wants === 'receive') {
    return lastPeer === undefined ? words.neverSent(channel) : words.lastSent(words.coroutine(lastPeer), channel);
  }
  return lastPeer === undefined ? words.neverReceived(channel) : words.lastReceived(words.coroutine(lastPeer), channel);
}
