/** How much may be under way at a time before a sender is told to come again. */
export interface IntakeLimits {
  readonly deliveries: number;
  /** Of their bodies together: these are what memory goes to. */
  readonly bytes: number;
}

/** Alertmanager sends one body a group: 40 at once are usual in a storm, and half a megabyte is a large one. */
export const defaultIntake: IntakeLimits = { deliveries: 100, bytes: 64 * 1024 * 1024 };

/** A bound on work under way. What does not fit is refused at once instead of being kept waiting in memory. */
export interface Intake {
  /** Null: there is no room. Else to be called once, when the work has ended. */
  enter(bytes: number): (() => void) | null;
}

export function createIntake({ deliveries, bytes: mostBytes }: IntakeLimits): Intake {
  let count = 0;
  let held = 0;
  return {
    enter(bytes) {
      // One alone always fits, whatever it claims of itself.
      if (count >= deliveries || (count > 0 && held + bytes > mostBytes)) return null;
      count += 1;
      held += bytes;
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        count -= 1;
        held -= bytes;
      };
    },
  };
}
