/** A flat array with room for this place: the same, or one twice as long. */
export function withRoom<A extends Int32Array | Uint32Array | Float64Array>(array: A, place: number): A {
  if (place < array.length) return array;
  const longer = new (array.constructor as new (length: number) => A)(Math.max(2 * array.length, place + 1, 16));
  longer.set(array);
  return longer;
}
