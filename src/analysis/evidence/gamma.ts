/** Logarithms of the gamma and beta functions, for positive arguments: absolute error under 1e-12 up to 100, relative beyond. */

/** Stirling's series needs no more terms from here on (the first one left out is under 1e-14). */
const STIRLING_FROM = 12;
/** B_2k / (2k (2k-1)), k = 1..7: Abramowitz and Stegun 6.1.41. */
const SERIES = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156];
const HALF_LN_TWO_PI = 0.9189385332046727;

/** ln Gamma(x), x > 0; NaN elsewhere. Below 12 it is stepped up by Gamma(x+1) = x Gamma(x). */
export function lnGamma(x: number): number {
  if (!(x > 0)) return Number.NaN;
  let product = 1;
  let y = x;
  for (; y < STIRLING_FROM; y += 1) product *= y;
  const square = 1 / (y * y);
  let power = 1 / y;
  let series = 0;
  for (const term of SERIES) {
    series += term * power;
    power *= square;
  }
  return (y - 0.5) * Math.log(y) - y + HALF_LN_TWO_PI + series - Math.log(product);
}

/** ln of the (multivariate) beta function: sum of ln Gamma less ln Gamma of the sum. */
export function lnBeta(parameters: readonly number[]): number {
  let sum = 0;
  let each = 0;
  for (const a of parameters) {
    sum += a;
    each += lnGamma(a);
  }
  return each - lnGamma(sum);
}
