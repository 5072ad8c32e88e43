import type { Policy } from '../domain/policy.ts';
import type { Outcome, Submission, Submit } from './submit.ts';

/** Events that are decided on in one commit: more would keep everybody else from their turn. */
const MOST_TOGETHER = 200;
/** For so many turns of the event loop at most others are let in before the first of them is begun. */
const MOST_TURNS = 8;
/** What comes when nothing came for so long comes by itself. */
const QUIET_MS = 20;
/** Services that are decided on at a time: as many as the shared store has connections for. */
export const SERVICES_AT_A_TIME = 8;

export interface Together {
  /** Decides on them when it is their service's turn; those that are accepted already, or are just being, under their number. */
  take(policy: Policy, submissions: readonly Submission[], stored?: Promise<number>): Promise<readonly Outcome[]>;
  /** Whether what comes for this service now has to wait for others. */
  isBusy(service: string): boolean;
  /** When nothing waits any more. */
  drained(): Promise<void>;
}

interface Call {
  readonly policy: Policy;
  readonly submissions: readonly Submission[];
  /** Their number among the accepted; undefined: they are not. */
  readonly stored: Promise<number | undefined>;
  /** `stored` is settled. */
  isStored: boolean;
  readonly done: (outcomes: readonly Outcome[]) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Batches of the same service that wait for each other anyway are one: its state is loaded, saved and flushed to the disk once for all
 * of them. Each has its own outcomes, in the order they came; what fails together is tried alone, so that one that cannot be
 * decided on takes no other with it. Services take turns. `now`: milliseconds.
 */
export function batchesTogether(batch: Submit['batch'], now: () => number): Together {
  const waiting = new Map<string, Call[]>();
  const line: string[] = [];
  const resting: (() => void)[] = [];
  let running = 0;
  let came = 0;
  let cameAtMs = Number.NEGATIVE_INFINITY;
  let isByItself = false;
  // In a storm what comes is let in as long as more of it comes in every turn of the event loop; one by itself waits for none.
  const letIn = async (): Promise<void> => {
    if (isByItself) return;
    for (let turns = 0, before = -1; before !== came && turns < MOST_TURNS; turns += 1) {
      before = came;
      await new Promise((turn) => setImmediate(turn));
    }
  };
  const turn = async (service: string, calls: Call[]): Promise<void> => {
    await letIn();
    await decide(batch, await storedOf(calls.splice(0, howMany(calls))));
    running -= 1;
    if (calls.length > 0) line.push(service);
    else waiting.delete(service);
    if (waiting.size === 0) for (const rest of resting.splice(0)) rest();
    next();
  };
  const next = (): void => {
    while (running < SERVICES_AT_A_TIME) {
      const service = line.shift();
      const calls = service === undefined ? undefined : waiting.get(service);
      if (service === undefined || !calls) return;
      running += 1;
      void turn(service, calls);
    }
  };
  return {
    take: (policy, submissions, stored) =>
      new Promise((done, failed) => {
        const { service } = policy;
        const isStored = stored === undefined;
        const call: Call = { policy, submissions, stored: Promise.resolve(stored), isStored, done, failed };
        const mark = () => {
          call.isStored = true;
        };
        stored?.then(mark, mark);
        came += 1;
        const atMs = now();
        isByItself = atMs - cameAtMs >= QUIET_MS;
        cameAtMs = atMs;
        const others = waiting.get(service);
        if (others) {
          others.push(call);
          return;
        }
        waiting.set(service, [call]);
        line.push(service);
        next();
      }),
    drained: () => new Promise((rest) => (waiting.size === 0 ? rest() : resting.push(rest))),
    isBusy: (service) => running >= SERVICES_AT_A_TIME || waiting.has(service),
  };
}

async function decide(batch: Submit['batch'], calls: readonly Call[]): Promise<void> {
  const [first] = calls;
  if (!first) return;
  try {
    const outcomes = await batch(
      first.policy,
      calls.flatMap(({ submissions }) => submissions),
    );
    let from = 0;
    for (const { submissions, done } of calls) {
      done(outcomes.slice(from, from + submissions.length));
      from += submissions.length;
    }
  } catch (error) {
    if (calls.length === 1) first.failed(error);
    else await Promise.all(calls.map((call) => decide(batch, [call])));
  }
}

/** Those of them that are stored now, where they were to be; the others have failed. */
async function storedOf(calls: readonly Call[]): Promise<readonly Call[]> {
  const stored = await Promise.all(
    calls.map(async (call) => {
      try {
        const accepted = await call.stored;
        if (accepted === undefined) return [call];
        return [{ ...call, submissions: call.submissions.map((submission) => ({ ...submission, accepted })) }];
      } catch (error) {
        call.failed(error);
        return [];
      }
    }),
  );
  return stored.flat();
}

/** As many from the first on as may be together: stored, under one reading of the policy, and not too many; one always may. */
function howMany(calls: readonly Call[]): number {
  let events = 0;
  const end = calls.findIndex(({ policy, submissions, isStored }, index) => {
    events += submissions.length;
    return index > 0 && (!isStored || policy !== calls[0]?.policy || events > MOST_TOGETHER);
  });
  return end === -1 ? calls.length : end;
}
