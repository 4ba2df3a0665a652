import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Statement, VariableDeclarator } from '@swc/core'
import { Visitor } from '@swc/core/Visitor.js'
import { cruise, type IForbiddenRuleType, type IViolation } from 'dependency-cruiser'

// swc's visitor, which the cruiser walks with, is older than `using` and throws at it: here it visits what `using`
// declares, as it does for `const`.
// oxlint-disable-next-line typescript/unbound-method -- called with its `this` below
const visitStatement = Visitor.prototype.visitStatement
Visitor.prototype.visitStatement = function visit(this: Visitor, statement: Statement): Statement {
  if ((statement.type as string) !== 'UsingDeclaration') return visitStatement.call(this, statement)
  this.visitVariableDeclarators((statement as unknown as { decls: VariableDeclarator[] }).decls)
  return statement
}

/** The words and settings that every place may import; they import nothing of ours but each other. */
const everywhere = '^src/(domain|config|log|metrics)\\.ts$'

/** What each place may import of ours besides itself and `everywhere`. */
const places: readonly { name: string; path: string; mayImport: readonly string[] }[] = [
  { name: 'domain, config, log and metrics', path: everywhere, mayImport: [] },
  { name: 'server', path: '^src/server/', mayImport: ['^src/schema/', '^src/engine/', '^src/db/'] },
  { name: 'schema', path: '^src/schema/', mayImport: ['^src/resolvers/'] },
  { name: 'resolvers', path: '^src/resolvers/', mayImport: ['^src/engine/', '^src/db/'] },
  { name: 'engine', path: '^src/engine/', mayImport: ['^src/db/'] },
  { name: 'db', path: '^src/db/', mayImport: [] },
  { name: 'terminal', path: '^src/terminal/', mayImport: [] },
  { name: 'dashboard', path: '^src/dashboard/', mayImport: [] },
  { name: 'demo', path: '^src/demo/', mayImport: ['^src/terminal/'] },
  { name: 'migrations', path: '^migrations/', mayImport: [] },
]

const notTypes = { dependencyTypesNot: ['type-only' as const] }

/**
 * The arrows of CONTRIBUTING.md. Type-only imports may go any way: they are gone at run time. Each place's list also
 * settles what can be reached from it, so that a worker process (src/engine) never loads schema or server.
 */
const rules: IForbiddenRuleType[] = [
  ...places.map(({ name, path, mayImport }) => ({
    name: `${name} may import ${mayImport.length === 0 ? 'nothing of ours' : mayImport.map(plain).join(', ')}`,
    from: { path },
    to: { path: '^(src|migrations)/', pathNot: [path, everywhere, ...mayImport], ...notTypes },
  })),
  {
    name: 'a site never imports db',
    from: { path: '^src/engine/sites/' },
    to: { path: '^src/db/', ...notTypes },
  },
  {
    name: 'only src/db speaks to Postgres',
    from: { path: '^src/', pathNot: '^src/db/' },
    to: { path: '(^|/)(kysely|pg)(/|$)', pathNot: '^src/', ...notTypes },
  },
  {
    name: 'only src/engine/queue.ts knows pg-boss',
    from: { path: '^src/', pathNot: '^src/engine/queue\\.ts$' },
    to: { path: '(^|/)pg-boss(/|$)', ...notTypes },
  },
  {
    name: 'no cycles',
    from: {},
    to: { circular: true, viaOnly: notTypes },
  },
  {
    name: 'every import is there',
    from: { path: '^(src|migrations)/' },
    to: { couldNotResolve: true, path: '^\\.' },
  },
]

/**
 * Reads every module of `root`/src and `root`/migrations. Returns one line for each import that goes the wrong way and
 * for each source file that was not read; an empty list means that the arrows hold.
 */
export async function findWrongArrows(root: string): Promise<string[]> {
  const folders = ['src', 'migrations']
  const { output } = await cruise(folders, {
    baseDir: root,
    ruleSet: { forbidden: rules },
    validate: true,
    // TypeScript 7 has no API that the cruiser could parse with.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  })
  if (typeof output === 'string') throw new TypeError('the cruiser answered text where its result was expected')
  const read = new Set(output.modules.map((module) => module.source))
  const unread = folders.flatMap((folder) => sources(root, folder)).filter((file) => !read.has(file))
  return [...output.summary.violations.map(describe), ...unread.map((file) => `${file} was not read`)].toSorted()
}

function describe({ from, to, rule, cycle }: IViolation): string {
  const path = cycle ? [from, ...cycle.map((step) => step.name)] : [from, to]
  return `${path.join(' -> ')} (${rule.name})`
}

function plain(path: string): string {
  return path.replaceAll(/^\^|\/$/g, '')
}

function sources(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wrong = await findWrongArrows(fileURLToPath(new URL('..', import.meta.url)))
  for (const line of wrong) console.error(line)
  if (wrong.length > 0) process.exitCode = 1
}
