import type { Policy } from '../domain/policy.ts';
import type { Outcome, Submission, Submit } from './submit.ts';

/** Events that are decided on in one commit: more would keep everybody else from their turn. */
const MOST_TOGETHER = 200;
/** For so many turns of the event loop at most others are let in before the first of them is begun. */
const MOST_TURNS = 8;

interface Call {
  readonly policy: Policy;
  readonly submissions: readonly Submission[];
  readonly done: (outcomes: readonly Outcome[]) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Batches of the same service that wait for each other anyway are one: its state is loaded, saved and flushed to the disk once for all
 * of them. Each has its own outcomes, in the order they came; what fails together is tried alone, so that one that cannot be
 * decided on takes no other with it.
 */
export function batchesTogether(batch: Submit['batch']): Submit['batch'] {
  const waiting = new Map<string, Call[]>();
  const decide = async (calls: readonly Call[]): Promise<void> => {
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
      else await Promise.all(calls.map((call) => decide([call])));
    }
  };
  let came = 0;
  // In a storm what comes is let in as long as more of it comes in every turn of the event loop; one by itself waits for one turn.
  const letIn = async (): Promise<void> => {
    for (let turns = 0, before = -1; before !== came && turns < MOST_TURNS; turns += 1) {
      before = came;
      await new Promise((turn) => setImmediate(turn));
    }
  };
  const work = async (service: string, calls: Call[]): Promise<void> => {
    await letIn();
    while (calls.length > 0) await decide(calls.splice(0, howMany(calls)));
    waiting.delete(service);
  };
  return (policy, submissions) =>
    new Promise((done, failed) => {
      const call = { policy, submissions, done, failed };
      came += 1;
      const others = waiting.get(policy.service);
      if (others) {
        others.push(call);
        return;
      }
      const calls = [call];
      waiting.set(policy.service, calls);
      void work(policy.service, calls);
    });
}

/** As many from the first on as may be together: under one reading of the policy, and not too many; one always may. */
function howMany(calls: readonly Call[]): number {
  let events = 0;
  const end = calls.findIndex(({ policy, submissions }, index) => {
    events += submissions.length;
    return index > 0 && (policy !== calls[0]?.policy || events > MOST_TOGETHER);
  });
  return end === -1 ? calls.length : end;
}
