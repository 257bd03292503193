/** The guest itself failed; what ran in it failing is a result, not this. */
export class GuestError extends Error {
  override name = 'GuestError'
}
