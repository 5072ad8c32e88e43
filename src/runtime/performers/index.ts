import { cardPerformer } from './card.ts';
import { measurePerformer } from './measure.ts';
import { pagePerformer } from './page.ts';
import type { Performers, World } from './performer.ts';
import { probePerformer } from './probe.ts';
import { reportPerformer } from './report.ts';
import { sayPerformer } from './say.ts';
import { shiftPerformer } from './shift.ts';
import { silencePerformer } from './silence.ts';
import { timerPerformer } from './timer.ts';

/** Everything Lastgood can do to the world, one performer an effect kind. */
export function createPerformers(world: World): Performers {
  return {
    shift: shiftPerformer(world),
    timer: timerPerformer(),
    measure: measurePerformer(world),
    probe: probePerformer(world),
    silence: silencePerformer(world),
    page: pagePerformer(world),
    card: cardPerformer(world),
    say: sayPerformer(world),
    report: reportPerformer(world),
  };
}
