import { readFileSync } from 'node:fs';
import type { Anchor, ChainReport } from '../../ports/audit.ts';
import { type CliCommand, type Io, parse, UsageError } from '../command.ts';
import { reachStore } from './reach.ts';
import { said } from './said.ts';

const options = { service: { type: 'string' }, anchor: { type: 'string' }, database: { type: 'string' } } as const;

export const audit: CliCommand = {
  name: 'audit',
  usage: 'verify [--service SERVICE] [--anchor FILE|ANCHOR] [--database FILE]',
  summary:
    'whether the journal is what was written: names the first row changed, missing or put in, and prints anchors',
  run: (args, io) =>
    said(io, async () => {
      const { values, positionals } = parse(args, options, ['verify']);
      if (positionals[0] !== 'verify') throw new UsageError(`There is nothing to do with ${positionals[0]}.`);
      const service = values.service ?? null;
      const given = values.anchor === undefined ? [] : anchorsIn(values.anchor);
      const anchors = given.filter((anchor) => service === null || anchor.service === service);
      if (given.length > 0 && anchors.length === 0) throw new UsageError(`No anchor of ${service} was given.`);
      const store = await reachStore(io, values.database);
      try {
        const reports = await store.verify({ service, anchors });
        const rows = reports.reduce((sum, report) => sum + report.rows, 0);
        for (const report of reports) tell(io, report);
        const broken = reports.filter(({ problem }) => problem !== null).length;
        if (broken > 0) {
          io.err(`The journal is not what was written: ${broken} of ${reports.length} services.`);
          return 1;
        }
        io.out(`The journal is as it was written: ${rows} rows of ${reports.length} services.`);
        if (anchors.length === 0)
          io.out('Keep the anchors elsewhere: who could write the database could write all of it anew.');
        return 0;
      } finally {
        await store.close();
      }
    }),
};

function tell(io: Io, { service, rows, prunedPosition, anchor, anchorsPruned, problem }: ChainReport): void {
  for (const old of anchorsPruned)
    io.out(
      `${service}: the anchor of row ${old.position} shows nothing any more, rows to ${prunedPosition} were let go.`,
    );
  if (problem !== null) {
    io.err(`${service}: ${problem.detail} (${problem.kind}, row ${problem.position})`);
    return;
  }
  const from = prunedPosition > 0 ? `, from row ${prunedPosition + 1} on` : '';
  io.out(`${service}: ${rows} rows${from}${anchor === null ? '' : `, anchor ${written(anchor)}`}`);
}

function written({ service, position, hash }: Anchor): string {
  return `${service}:${position}:${hash}`;
}

/** Anchors as they are printed, wherever in a text they stand: the output of an earlier run will do. */
function anchorsIn(given: string): readonly Anchor[] {
  const direct = find(given);
  if (direct.length > 0) return direct;
  let text: string;
  try {
    text = readFileSync(given, 'utf8');
  } catch {
    // Neither an anchor nor a file that can be read: one sentence says both.
    throw new UsageError(`--anchor is an anchor as it was printed (service:row:hash), or a readable file with some.`);
  }
  const found = find(text);
  if (found.length === 0) throw new UsageError(`There is no anchor in ${given}.`);
  return found;
}

function find(text: string): readonly Anchor[] {
  return [...text.matchAll(/(?<![\w-])([a-z0-9][a-z0-9-]*):(\d{1,15}):([0-9a-f]{64})(?!\w)/g)].map(
    ([, service = '', position = '', hash = '']) => ({ service, position: Number(position), hash }),
  );
}
