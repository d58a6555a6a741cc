import type { Memory } from '../emu/memory.js';
import { RECEIVER, SENDER } from './chan.js';
import { MILL_CLAUSE, offsets } from './layout.js';
import type { Mill } from './mill.js';

const CLAUSE = offsets(MILL_CLAUSE);
const RULE = '-'.repeat(120);

/** A channel's end that a coroutine waits at. */
export interface Waiting {
  readonly channel: number;
  readonly end: 'send' | 'receive';
}

/** The ends of channels that a coroutine waits at; none unless it is in chs, chr or choose. */
export function waitingAt(memory: Memory, { choose, channels, coroutines }: Mill, cr: number): Waiting[] {
  if (!['CHR', 'CHS', 'CHOOSE'].includes(coroutines.state(cr))) return [];
  return [...choose.clauses(cr)].map((clause) => {
    const endpoint = memory.pointer(clause + CLAUSE.ep);
    const channel = channels.channelOf(endpoint);
    return { channel, end: endpoint === channels.endpoint(channel, SENDER) ? 'send' : 'receive' };
  });
}

/**
 * What goredump says a coroutine is doing.
 * @param running the coroutine that is; 0 while everybody waits
 */
export function stateText(memory: Memory, mill: Mill, cr: number, running: number): string {
  const { coroutines, channelCensus } = mill;
  if (cr === running) return 'RUNNING';
  if (coroutines.isReady(cr)) return 'ready';
  const channels = waitingAt(memory, mill, cr).map(({ channel }) => `<${channelCensus.id(channel)}>`);
  switch (coroutines.state(cr)) {
    case 'MSLEEP':
      return 'msleep()';
    case 'FDWAIT':
      return 'fdwait()';
    case 'CHR':
      return `chr(${channels.join(',')})`;
    case 'CHS':
      return `chs(${channels.join(',')})`;
    case 'CHOOSE':
      return `choose(${channels.join(',')})`;
    case 'READY':
      return 'ready';
  }
}

/**
 * The text of libmill's goredump(): all coroutines, then all channels if there are any.
 * @param running as for {@link stateText}
 */
export function goredump(memory: Memory, mill: Mill, running = mill.coroutines.running): string {
  const { coroutines, census, channels, channelCensus } = mill;
  const text = (address: number): string => (address === 0 ? '' : memory.text(address));
  const lines = [
    '',
    'COROUTINE  state                                      current                                  created',
    RULE,
  ];
  for (const cr of census.all()) {
    const id = `{${census.id(cr)}}`.padEnd(8);
    const state = stateText(memory, mill, cr, running).padEnd(42);
    const current = (cr === running ? '---' : text(coroutines.current(cr))).padEnd(40);
    lines.push(`${id}   ${state} ${current} ${cr === coroutines.main ? '<main>' : text(census.created(cr))}`);
  }
  if (channelCensus.count > 0) {
    lines.push('', 'CHANNEL  msgs/max    senders/receivers                          refs  done  created', RULE);
  }
  for (const channel of channelCensus.all()) {
    const ids = (type: number): string =>
      [...channels.waiting(channel, type)]
        .map((item) => `{${census.id(memory.pointer(item - CLAUSE.epitem + CLAUSE.cr))}}`)
        .join(',');
    const senders = ids(SENDER);
    const receivers = ids(RECEIVER);
    const waiting = senders !== '' ? `s:${senders}` : receivers !== '' ? `r:${receivers}` : '';
    lines.push(
      [
        `<${channelCensus.id(channel)}>`.padEnd(8),
        `${channels.items(channel)}/${channels.capacity(channel)}`.padEnd(11),
        waiting.padEnd(42),
        String(channels.refcount(channel)).padEnd(5),
        (channels.done(channel) ? 'yes' : 'no').padEnd(5),
        text(channelCensus.created(channel)),
      ].join(' '),
    );
  }
  return `${lines.join('\n')}\n`;
}
