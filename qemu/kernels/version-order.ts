/** Orders versions by their numbers, so that 6.12.107 comes after 6.12.94. */
export function versionOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
