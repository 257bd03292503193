import type { Addon } from '../native.ts'

/** What libbpf and the verifier say during a session: errors quote its latest, --verbose shows all of it. */
export class LibbpfLog {
  readonly #addon: Addon
  #said = ''

  constructor(addon: Addon) {
    this.#addon = addon
  }

  /** What was said since this was last asked. */
  latest(): string {
    const log = this.#addon.takeLog()
    this.#said += log
    return log
  }

  all(): string {
    this.latest()
    return this.#said
  }
}
