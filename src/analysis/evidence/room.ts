/**
 * Arrays of numbers that are used again from one look to the next: thousands of looks a minute leave nothing behind then. What
 * stands in an array that was just taken is left over from whoever had it before.
 */
export interface Room {
  /** Room for so many numbers at least, until the room is emptied. */
  take(count: number): number[];
  /** For a moment: until the next one is asked for. */
  brief(count: number): number[];
  /** Everything that was taken is free again. */
  empty(): void;
}

/** Longer ones are of a look over days with short windows: seldom, and not worth keeping. */
const LONGEST_KEPT = 1_024;
/** More are of a policy with hundreds of series. */
const MOST_KEPT = 4_096;

export function createRoom(): Room {
  const arrays: number[][] = [];
  let taken = 0;
  let moment: number[] = [];
  return {
    take(count) {
      if (count > LONGEST_KEPT || taken >= MOST_KEPT) return numbers(count);
      const known = arrays[taken];
      const array = known !== undefined && known.length >= count ? known : numbers(Math.min(LONGEST_KEPT, 2 * count));
      arrays[taken] = array;
      taken += 1;
      return array;
    },
    brief(count) {
      if (moment.length < count) moment = numbers(2 * count);
      return moment;
    },
    empty() {
      taken = 0;
    },
  };
}

/** Where most arrays of numbers are cut from. */
const NOTHING: readonly number[] = Array.from({ length: 720 }, () => Number.NaN);

/** Room for so many numbers, laid out as numbers: for a moment's use an eighth of what a typed array costs. */
export function numbers(count: number): number[] {
  return count <= NOTHING.length ? NOTHING.slice(0, count) : Array.from({ length: count }, () => Number.NaN);
}
