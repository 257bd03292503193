import { posix } from 'node:path'
import ts from 'typescript'

/** The rooms of runner/ (design.md): a file imports from its own room and from those with a lower number. */
const ranks: Readonly<Record<string, number>> = {
  'types.ts': -1,
  'errors.ts': 0,
  'sorted.ts': 0,
  'native.ts': 1,
  kernel: 2,
  sources: 3,
  plan: 4,
  session: 5,
  symbols: 6,
  'fold.ts': 7,
  formats: 8,
  'output.ts': 8,
  commands: 9,
  'main.ts': 10,
}

/** Rooms that may hold handles of the addon; others may load it and hand it on. */
const holders = ['kernel', 'session', 'native.ts']
const loaders = ['commands', 'main.ts']

interface Import {
  readonly from: string
  /** Names taken; "*" for all or for what is not said. */
  readonly names: readonly string[]
}

interface Source {
  readonly imports: readonly Import[]
  readonly touchesProcess: boolean
}

/** What breaks the rule in files given by their path below runner/, one line each. */
export function violations(files: ReadonlyMap<string, string>): string[] {
  const sources = new Map([...files].map(([path, text]) => [path, parse(path, text)]))
  const found: string[] = []
  for (const [path, { imports, touchesProcess }] of sources) {
    if (ranks[roomOf(path)] === undefined) found.push(`${path} is in no known room`)
    if (touchesProcess && path !== 'main.ts') found.push(`${path} touches process`)
    for (const { from, names } of imports) {
      if (from === 'node:process' || from === 'process') found.push(`${path} imports process`)
      if (!from.startsWith('.')) continue
      const target = posix.join(posix.dirname(path), from)
      found.push(
        ...brokenBy(path, target, names),
        ...(sources.has(target) ? [] : [`${path} imports ${target}, which is not there`]),
      )
    }
  }
  return [...found, ...cycles(sources)]
}

function roomOf(path: string): string {
  return path.split('/')[0] ?? ''
}

function brokenBy(path: string, target: string, names: readonly string[]): string[] {
  const [own, other] = [roomOf(path), roomOf(target)]
  const found: string[] = []
  if (own !== other && !((ranks[other] ?? 0) < (ranks[own] ?? 0)))
    found.push(`${path} imports ${target}, which does not come before it`)
  const loadsOnly = loaders.includes(own) && names.every((name) => name === 'loadAddon')
  if (target === 'native.ts' && !holders.includes(own) && !loadsOnly) found.push(`${path} reaches for the addon`)
  return found
}

/** By text: the same files are looked at again and again, each time with another one among them. */
const parsed = new Map<string, Source>()

function parse(path: string, text: string): Source {
  const held = parsed.get(text)
  if (held !== undefined) return held
  const imports: Import[] = []
  let touchesProcess = false
  const visit = (node: ts.Node): void => {
    const made = importOf(node)
    if (made !== undefined) imports.push(made)
    if (ts.isIdentifier(node) && node.text === 'process' && !isMember(node)) touchesProcess = true
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true))
  const source = { imports, touchesProcess }
  parsed.set(text, source)
  return source
}

/** The process of something else than the global object: a member, a key, a label of a type. */
function isMember(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return parent.expression.getText() !== 'globalThis'
  return (
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) &&
    parent.name === node
  )
}

function importOf(node: ts.Node): Import | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
    const clause = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause
    const named =
      clause !== undefined && (ts.isNamedImports(clause) || ts.isNamedExports(clause)) ? clause.elements : undefined
    const names = named?.map(({ name, propertyName }) => (propertyName ?? name).text) ?? ['*']
    return { from: (node.moduleSpecifier as ts.StringLiteral).text, names }
  }
  const isCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
  const argument = isCall ? node.arguments[0] : undefined
  if (argument !== undefined && ts.isStringLiteral(argument)) return { from: argument.text, names: ['*'] }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && ts.isStringLiteral(node.argument.literal))
    return { from: node.argument.literal.text, names: ['*'] }
  return undefined
}

/** Each cycle once, from its first file by name. */
function cycles(sources: ReadonlyMap<string, Source>): string[] {
  const found = new Set<string>()
  const done = new Set<string>()
  const walk = (path: string, above: readonly string[]): void => {
    const start = above.indexOf(path)
    if (start >= 0) {
      const ring = above.slice(start)
      const first = ring.indexOf([...ring].sort()[0] ?? '')
      found.add(`${[...ring.slice(first), ...ring.slice(0, first), ring[first]].join(' → ')} is a cycle`)
    }
    if (start >= 0 || done.has(path)) return
    for (const { from } of sources.get(path)?.imports ?? [])
      if (from.startsWith('.')) walk(posix.join(posix.dirname(path), from), [...above, path])
    done.add(path)
  }
  for (const path of sources.keys()) walk(path, [])
  return [...found]
}
