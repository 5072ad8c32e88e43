/** HAProxy's own limit of a server's weight. */
const MOST = 256;
/** Weights of one server each then read as per cent. */
const USUAL_SUM = 100;

/** The weight of each server of an arm. */
export interface Weights {
  readonly candidate: number;
  readonly stable: number;
}

/**
 * Whole weights that come nearest to an exposure, exact at 0 and 100 and for whole per cents wherever both arms have equally
 * many servers. Between 0 and 100 nobody gets a weight of 0: with one server each the least is 1 of 257 (0.4 %).
 * @param counts how many servers share each arm's traffic; at least 1 where the arm gets any.
 */
export function weightsFor(exposurePercent: number, counts: { candidate: number; stable: number }): Weights {
  if (exposurePercent <= 0) return { candidate: 0, stable: USUAL_SUM };
  if (exposurePercent >= 100) return { candidate: USUAL_SUM, stable: 0 };
  const wanted = exposurePercent / 100;
  let best = { candidate: 1, stable: 1, off: Number.POSITIVE_INFINITY };
  for (let candidate = 1; candidate <= MOST; candidate += 1) {
    const exact = (counts.candidate * candidate * (1 - wanted)) / (wanted * counts.stable);
    for (const rounded of [Math.floor(exact), Math.ceil(exact)]) {
      const stable = Math.min(MOST, Math.max(1, rounded));
      const all = counts.candidate * candidate + counts.stable * stable;
      const off = Math.abs((counts.candidate * candidate) / all - wanted);
      const found = { candidate, stable, off };
      if (isBetter(found, best)) best = found;
    }
  }
  return { candidate: best.candidate, stable: best.stable };
}

function isBetter(one: Weights & { off: number }, other: Weights & { off: number }): boolean {
  // Below this it is the noise of floating point.
  if (Math.abs(one.off - other.off) > 1e-9) return one.off < other.off;
  return distance(one) < distance(other);
}

function distance({ candidate, stable }: Weights): number {
  return Math.abs(candidate + stable - USUAL_SUM);
}

/** Of a share 0..1: per cent to a tenth, and 0 and 100 only where it is nothing and everything. */
export function percentOf(share: number): number {
  if (share <= 0) return 0;
  if (share >= 1) return 100;
  return Math.min(99.9, Math.max(0.1, Math.round(share * 1000) / 10));
}
