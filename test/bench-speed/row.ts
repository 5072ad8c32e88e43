import type { Outcome } from './figures.ts';

/** How much of a row is measured. */
export interface Run {
  readonly rounds: number;
  /** Fewer samples and rollouts: whether it works, not what is to be told. */
  readonly quick: boolean;
  /** Progress, for who waits. */
  readonly say: (line: string) => void;
}

export interface Row {
  /** As `--rows` has it. */
  readonly name: string;
  readonly title: string;
  /** What stands beside ours; empty: nothing does. */
  readonly floor: string;
  readonly measure: (run: Run) => Promise<Outcome>;
}

/** Ours and the floor in turn, the other way round every time: whatever the machine does meanwhile, it does to both. */
export async function alternating(
  rounds: number,
  ours: (round: number) => Promise<void>,
  floor: (round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const turns = round % 2 === 0 ? [floor, ours] : [ours, floor];
    for (const turn of turns) await turn(round);
  }
}
