/** Index of the last element that is not above wanted, or -1. */
export function lastAtOrBelow(sorted: Float64Array, wanted: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) <= wanted) low = middle + 1
    else high = middle
  }
  return low - 1
}
