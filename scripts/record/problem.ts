/** Why there are no pictures, for whoever asked for them: what is missing and what to do. */
export class Problem extends Error {
  override readonly name = 'Problem';
}
