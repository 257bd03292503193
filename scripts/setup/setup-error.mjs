/** What a person has to do before the set-up can go on; printed without a stack. */
export class SetupError extends Error {}
