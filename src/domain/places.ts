/**
 * A full list with a further one for one that is forgotten: in its place, so that the others stay where they are and little of the
 * stored text changes. What came in the same moment is told apart by its place only: then the further one comes last.
 */
export function inPlaceOf<T>(
  list: readonly T[],
  place: number,
  further: T,
  momentOf: (one: T) => number,
): readonly T[] {
  const forgotten = list[place];
  const isSameMoment = forgotten !== undefined && momentOf(forgotten) === momentOf(further);
  return isSameMoment ? [...list.slice(0, place), ...list.slice(place + 1), further] : list.with(place, further);
}
