import { startWorld } from '../../../src/demo/world/server.ts';
import { type SceneName, snapshotOf, withWrongScores } from './snapshots.ts';

export interface WorldFixture {
  readonly url: string;
  /** What was pressed, in order. */
  readonly pressed: readonly string[];
  /** Goes to that scene: whoever looks is told. The demo's clock stands still there unless `runs`. */
  show(scene: SceneName, options?: { readonly runs?: boolean }): void;
  setSpeed(factor: number): void;
  /** The feed carries the share of wrong scores too, or not. */
  tellWrongScores(tells: boolean): void;
  /** Nothing pressed, at normal speed, no wrong scores. */
  reset(): void;
  stop(): Promise<void>;
}

/** The page's own server, with a story written by hand behind it. */
export async function startWorldFixture(): Promise<WorldFixture> {
  const world = await startWorld();
  const pressed: string[] = [];
  let scene: SceneName = 'serving';
  let factor = 1;
  let tellsWrong = false;
  let running: { atMs: number; sinceMs: number } | null = null;
  const sinceMs = () => (running ? running.sinceMs + (Date.now() - running.atMs) * factor : 0);
  world.show({
    snapshot: async () => {
      const snapshot = snapshotOf(scene, sinceMs(), factor);
      return tellsWrong ? withWrongScores(snapshot) : snapshot;
    },
    act: async (action) => {
      pressed.push(action);
      return `Pressed: ${action}.`;
    },
  });
  return {
    url: world.url,
    pressed,
    show(name, { runs = false } = {}) {
      scene = name;
      running = runs ? { atMs: Date.now(), sinceMs: 0 } : null;
      world.changed();
    },
    setSpeed(next) {
      if (running) running = { atMs: Date.now(), sinceMs: sinceMs() };
      factor = next;
      world.changed();
    },
    tellWrongScores(tells) {
      tellsWrong = tells;
      world.changed();
    },
    reset() {
      tellsWrong = false;
      pressed.length = 0;
      factor = 1;
      running = null;
    },
    stop: () => world.stop(),
  };
}
