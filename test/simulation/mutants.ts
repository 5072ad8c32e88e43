import type { Decide } from '../../src/application/submit.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Performers, World } from '../../src/runtime/performers/performer.ts';

/** A part of Lastgood that is put in the place of the real one, broken on purpose: the simulation has to notice. */
export interface Mutant {
  readonly decide?: (real: Decide) => Decide;
  readonly store?: (real: Store) => Store;
  readonly world?: (real: World) => World;
  readonly performers?: (real: Performers, world: World) => Performers;
}

export const sound: Mutant = {};
