import { haproxyPath } from '../support/haproxy.ts';
import { hasPostgres } from '../support/postgres.ts';
import { complaints, type Verdict } from './judge.ts';
import { readOptions, type StoreKind, usage } from './options.ts';
import { runChaos } from './run.ts';

/** Late while ready: a decision needs a look first, and each kill in the middle of one costs the look and, shared, its lease. */
const LATEST_WHILE_READY_MS = 15_000;

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    say(usage);
    return 0;
  }
  if (haproxyPath === null) throw new Error('haproxy is not installed.');
  let isWhole = true;
  for (const store of options.stores) {
    if (store === 'postgres' && !hasPostgres) throw new Error('PostgreSQL is not installed: give --store sqlite.');
    const beganMs = Date.now();
    const verdict = await runChaos({ store, kills: options.kills, seed: options.seed, tell: say });
    const wrong = complaints(verdict, LATEST_WHILE_READY_MS);
    for (const line of summary(store, verdict, Date.now() - beganMs)) say(line);
    for (const complaint of wrong) say(`  ✗ ${complaint}`);
    isWhole &&= wrong.length === 0;
  }
  return isWhole ? 0 : 1;
}

function summary(store: StoreKind, v: Verdict, tookMs: number): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['kills', `${v.kills}, ${v.killsWhileRollingBack} of them with traffic on the candidate`],
    ['rollbacks', String(v.rollbacks)],
    ['alerts', `${v.alertsAcknowledged} acknowledged, ${v.alertsLost.length} lost`],
    ['messages', `${v.messages}, ${v.duplicates.length} twice, ${v.linesMissing} lines missing`],
    ['weights', `${v.weightsSet} set, ${v.wrongWeights.length === 0 ? 'all as planned' : 'not as planned'}`],
    ['deadlines', `${v.deadlines}, ${v.earliestMs} to ${v.latestMs} ms late; ${v.latestWhileReadyMs} ms while ready`],
    ['incidents', String(v.incidents)],
  ];
  return [
    '',
    `${store}, ${Math.round(tookMs / 1000)} s`,
    ...rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}`),
  ];
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
