/**
 * C0 and C1 controls, DEL, line and paragraph separators, and the marks that turn
 * text around (UAX 9): all that a terminal or an editor would obey.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
const obeyed = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Text of a traced process, made safe to print: "\x1b[2J" comes out as the characters \, x, 1, b … */
export function printable(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(obeyed, (mark) => {
    const code = mark.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** One JSON value, the same to whoever parses it, that a terminal has nothing to obey in. */
export function printableJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 1)
  return text.replace(obeyed, (mark) =>
    mark === '\n' ? mark : `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A comm's bytes (as latin1) as text: UTF-8 where they are that, else each foreign byte escaped. */
export function commText(comm: string): string {
  const text = Buffer.from(comm, 'latin1').toString('utf8')
  if (!text.includes('\ufffd')) return printable(text)
  return printable(comm).replace(/[\xa0-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`)
}
