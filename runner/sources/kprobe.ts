import { usageError } from '../errors.ts'
import type { Source } from './source.ts'

type Target = { readonly symbol: string; readonly offset: number }

export const kprobe: Source<Target> = {
  usage: 'kprobe:FUNCTION[+OFFSET]',
  summary: 'a kernel function is called (or reaches OFFSET bytes into it)',
  program: 'on_kprobe',
  innermost: 'breakpoint',

  parse(rest, typed) {
    const found = /^([A-Za-z_][\w.$]*)(?:\+(0[xX][0-9a-fA-F]+|\d+))?$/.exec(rest)
    const symbol = found?.[1]
    const offset = Number(found?.[2] ?? 0)
    if (symbol === undefined)
      throw usageError(typed, `not of the form ${kprobe.usage}`, 'for example kprobe:do_sys_openat2')
    if (offset > 0x7fffffff) throw usageError(typed, `the offset ${found?.[2]} is beyond any function's end`)
    return { symbol, offset }
  },

  globals: (target) => ({ at_entry: { type: 'bool', value: target.offset === 0 } }),

  attach(target, attacher) {
    attacher.kprobe(target.symbol, target.offset)
  },
}
