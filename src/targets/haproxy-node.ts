import { PortError } from '../ports/failure.ts';
import { askRuntime, type RuntimeCall } from './haproxy-runtime.ts';

/** One HAProxy process as it stands. Plain JSON: it goes out as an observation's revision and comes back with the shift. */
export interface NodeState {
  readonly node: string;
  /** Together they tell a process from the one before it. */
  readonly pid: number;
  readonly uptimeSeconds: number;
  /** What follows `balance`; '' where this socket may not know. */
  readonly algorithm: string;
  /** Without backups: they have traffic only where no other server can. */
  readonly servers: readonly ServerState[];
}

export interface ServerState {
  readonly name: string;
  readonly weight: number;
  /** As the configuration file has it. */
  readonly initialWeight: number;
  /** Taken out of service by people: `maint`, `drain`, `disabled`. */
  readonly isOut: boolean;
  readonly isUp: boolean;
  /** As HAProxy says it: `UP`, `DOWN`, `no check`, `MAINT`, … */
  readonly status: string;
}

export type NodeCall = Omit<RuntimeCall, 'command' | 'intent'>;

/** FMAINT, IMAINT, CMAINT, FDRAIN, IDRAIN. A name that does not resolve (0x20) passes by itself, like a failed health check. */
const OUT_OF_SERVICE = 0x01 | 0x02 | 0x04 | 0x08 | 0x10;
/** Of `srv_op_state`: running. Starting (1) and stopping (3) are not yet, or no longer, the whole server. */
const RUNNING = 2;

/** @throws PortError: permanent where the backend is not there, or where this socket may not set weights either. */
export async function readNode(call: NodeCall, backend: string): Promise<NodeState> {
  const ask = (command: string) => askRuntime({ ...call, command, intent: 'read' });
  const [level, info, servers, statistics] = await Promise.all([
    ask('show cli level'),
    ask('show info'),
    ask(`show servers state ${backend}`),
    // 2: the backend's own row, 4: its servers'.
    ask(`show stat ${backend} 6 -1`),
  ]);
  refuseLevel(call.node, level.trim());
  const process = new Map(info.split('\n').map((line) => pair(line)));
  if (process.get('Stopping') === '1')
    throw new PortError(
      'retryable',
      `HAProxy at ${call.node} is ending: process ${process.get('Pid')} was just replaced by a reload. It has to be asked again.`,
    );
  const rows = new Map(statisticsOf(call.node, backend, statistics).map((row) => [row.get('svname') ?? '', row]));
  return {
    node: call.node,
    pid: Number(process.get('Pid') ?? 0),
    uptimeSeconds: Number(process.get('Uptime_sec') ?? 0),
    algorithm: rows.get('BACKEND')?.get('algo') ?? '',
    servers: serversOf(call.node, backend, servers).flatMap((server) => {
      const row = rows.get(server.name);
      return row?.get('bck') === '1' ? [] : [{ ...server, status: row?.get('status') ?? '' }];
    }),
  };
}

/** True: another process answers there now, which has none of the weights that were set. */
export function wasReplaced(before: NodeState, now: NodeState): boolean {
  return before.pid !== now.pid || now.uptimeSeconds < before.uptimeSeconds;
}

/** Sets one server's absolute weight. @throws PortError */
export async function setWeight(
  call: NodeCall,
  backend: string,
  server: string,
  weight: number,
  algorithm: string,
): Promise<void> {
  const command = `set weight ${backend}/${server} ${weight}`;
  const answer = (await askRuntime({ ...call, command, intent: 'write' })).trim();
  if (answer === '') return;
  if (/permission denied/i.test(answer)) throw levelTooLow(call.node, 'a lower one');
  if (/static LB algorithm/i.test(answer))
    throw new PortError(
      'permanent',
      `"balance ${algorithm}" of backend ${backend} cannot take weights (HAProxy at ${call.node}): use roundrobin or leastconn, or strategy: switch with a weight above 0 for ${server} in the configuration.`,
    );
  if (/no such (server|backend)/i.test(answer))
    throw new PortError(
      'permanent',
      `HAProxy at ${call.node} has no ${backend}/${server} any more: was it reconfigured?`,
    );
  throw new PortError('permanent', `HAProxy at ${call.node} refused "${command}": ${firstLine(answer)}`);
}

/** Whoever may not set weights is told before a rollout begins, not in the middle of one. */
function refuseLevel(node: string, level: string): void {
  if (level === 'admin') return;
  if (/unknown command/i.test(level))
    throw new PortError(
      'permanent',
      `What answers at ${node} is not HAProxy's Runtime API, or of a version that does not tell its level.`,
    );
  throw levelTooLow(node, `"${firstLine(level)}"`);
}

function levelTooLow(node: string, level: string): PortError {
  return new PortError(
    'permanent',
    `HAProxy at ${node}: Lastgood may not set weights there. The "stats socket" line needs "level admin", the level is ${level}.`,
  );
}

function serversOf(node: string, backend: string, answer: string): Omit<ServerState, 'status'>[] {
  const [version, header, ...lines] = answer.trim().split('\n');
  if (/can't find backend/i.test(answer)) throw noBackend(node, backend);
  if (version !== '1' || !header?.startsWith('# ')) throw notUnderstood(node, 'show servers state', answer);
  const columns = header.slice(2).split(' ');
  return lines.map((line) => {
    const cells = line.split(' ');
    const row = new Map(columns.map((column, i) => [column, cells[i] ?? '']));
    const number = (column: string) => {
      const value = Number.parseInt(row.get(column) ?? '', 10);
      if (Number.isNaN(value)) throw notUnderstood(node, `show servers state (${column})`, line);
      return value;
    };
    return {
      name: row.get('srv_name') ?? '',
      weight: number('srv_uweight'),
      initialWeight: number('srv_iweight'),
      isOut: (number('srv_admin_state') & OUT_OF_SERVICE) !== 0,
      isUp: number('srv_op_state') === RUNNING,
    };
  });
}

function statisticsOf(node: string, backend: string, answer: string): ReadonlyMap<string, string>[] {
  if (/no such proxy/i.test(answer)) throw noBackend(node, backend);
  const [header, ...lines] = answer.trim().split('\n');
  if (!header?.startsWith('# pxname,svname,')) throw notUnderstood(node, 'show stat', answer);
  const columns = header.slice(2).split(',');
  return lines.map((line) => {
    const cells = cellsOf(line);
    return new Map(columns.map((column, i) => [column, cells[i] ?? '']));
  });
}

/** Of a line of CSV: what a health check read may stand in it, in quotes. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) => match[1] ?? match[2] ?? '');
}

function pair(line: string): [string, string] {
  const colon = line.indexOf(': ');
  return [line.slice(0, colon), line.slice(colon + 2)];
}

function noBackend(node: string, backend: string): PortError {
  return new PortError(
    'permanent',
    `HAProxy at ${node} has no backend ${backend}: check target.backend in the policy.`,
  );
}

function notUnderstood(node: string, command: string, answer: string): PortError {
  return new PortError(
    'permanent',
    `HAProxy at ${node} answered "${command}" with ${JSON.stringify(firstLine(answer))}.`,
  );
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 160);
}
