/**
 * Seeded random numbers with exact distributions: counts are drawn by inversion, never by a rounded normal, so that small counts
 * are as skewed as real ones.
 */
export interface Random {
  /** In [0, 1), with 53 bits. */
  uniform(): number;
  normal(): number;
  /** Events of a Poisson process with this mean. */
  poisson(mean: number): number;
  /** Successes of `trials` with probability `p` each. */
  binomial(trials: number, p: number): number;
}

/** Inversion begins at e^-mean, which must stay well above the smallest double (5e-324): larger means are drawn in parts. */
const MOST_MEAN = 500;

/** `key` says which draw of the seed this is ("scenario/run"): neither order nor number of workers changes what a run sees. */
export function random(seed: number, key: string): Random {
  const next = sfc32(seed, key);
  const uniform = () => ((next() >>> 5) * 67_108_864 + (next() >>> 6)) / 9_007_199_254_740_992;
  // Box and Muller 1958; the second of the pair is thrown away, which keeps every draw independent of who drew before.
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return {
    uniform,
    normal,
    poisson(mean) {
      let events = 0;
      for (let left = mean; left > 0; left -= MOST_MEAN)
        events += poissonByInversion(Math.min(left, MOST_MEAN), uniform());
      return events;
    },
    binomial(trials, p) {
      if (p > 0.5) return trials - this.binomial(trials, 1 - p);
      if (!(p > 0)) return 0;
      let successes = 0;
      const most = Math.max(1, Math.floor(MOST_MEAN / p));
      for (let left = trials; left > 0; left -= most) {
        successes += binomialByInversion(Math.min(left, most), p, uniform());
      }
      return successes;
    },
  };
}

function poissonByInversion(mean: number, u: number): number {
  let chance = Math.exp(-mean);
  let rest = u;
  let k = 0;
  while (rest >= chance && chance > 0) {
    rest -= chance;
    k += 1;
    chance *= mean / k;
  }
  return k;
}

function binomialByInversion(trials: number, p: number, u: number): number {
  const odds = p / (1 - p);
  let chance = Math.exp(trials * Math.log1p(-p));
  let rest = u;
  let k = 0;
  while (rest >= chance && k < trials && chance > 0) {
    rest -= chance;
    chance *= (odds * (trials - k)) / (k + 1);
    k += 1;
  }
  return k;
}

/** Chris Doty-Humphrey's sfc32 (PractRand), seeded by FNV-1a of the key; the first draws only mix the seed. */
function sfc32(seed: number, key: string): () => number {
  let hash = 0x811c9dc5;
  for (const character of `${seed}/${key}`) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  let a = seed | 0;
  let b = hash;
  let c = Math.imul(hash ^ 0x9e3779b9, 0x85ebca6b);
  let counter = 1;
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 16; i += 1) next();
  return next;
}
