import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { findWrongArrows } from '../scripts/arrows.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

/** A small house in which every arrow is right, with the given files put into it. */
async function houseWith(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'gavel-arrows-'))
  folders.push(root)
  const house = {
    'migrations/0001_first.ts': "import { sql } from 'kysely'\nexport const up = sql`select 1`\n",
    'src/domain.ts': 'export const words = []\n',
    'src/main.ts': "import { serve } from './commands/serve.ts'\nawait serve()\n",
    'src/commands/serve.ts': "import { listen } from '../server/http.ts'\nexport const serve = listen\n",
    'src/server/http.ts': "import { schema } from '../schema/schema.ts'\nexport const listen = () => schema\n",
    'src/schema/schema.ts': "import { answer } from '../resolvers/jobs.ts'\nexport const schema = answer\n",
    'src/resolvers/jobs.ts': "import { run } from '../engine/runJob.ts'\nexport const answer = run\n",
    'src/engine/runJob.ts': "import { save } from '../db/jobs.ts'\nexport const run = save\n",
    'src/engine/worker.ts': "import { run } from './runJob.ts'\nawait run()\n",
    'src/engine/sites/site.ts': "import { words } from '../../domain.ts'\nexport const site = words\n",
    'src/db/jobs.ts':
      "import { sql } from 'kysely'\nimport { words } from '../domain.ts'\nexport const save = () => [sql, words]\n",
    ...files,
  }
  for (const [file, text] of Object.entries(house)) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), text)
  }
  return root
}

test('every import of this project goes the way the architecture says, and every file was read', async () => {
  expect(await findWrongArrows(fileURLToPath(new URL('..', import.meta.url)))).toEqual([])
})

test('a house with right arrows passes', async () => {
  expect(await findWrongArrows(await houseWith({}))).toEqual([])
})

test.each([
  ['db imports engine', 'src/db/a.ts', '../engine/runJob.ts', 'db may import nothing of ours'],
  ['engine imports schema', 'src/engine/a.ts', '../schema/schema.ts', 'engine may import src/db'],
  ['engine imports resolvers', 'src/engine/a.ts', '../resolvers/jobs.ts', 'engine may import src/db'],
  ['a worker process imports the server', 'src/engine/worker.ts', '../server/http.ts', 'engine may import src/db'],
  ['a site imports db', 'src/engine/sites/a.ts', '../../db/jobs.ts', 'a site never imports db'],
  ['schema imports db', 'src/schema/a.ts', '../db/jobs.ts', 'schema may import src/resolvers'],
  ['resolvers import the server', 'src/resolvers/a.ts', '../server/http.ts', 'resolvers may import src/engine, src/db'],
  ['the server imports resolvers', 'src/server/a.ts', '../resolvers/jobs.ts', 'server may import src/schema'],
  ['the demo imports the engine', 'src/demo/a.ts', '../engine/runJob.ts', 'demo may import src/terminal'],
  ['a migration imports db', 'migrations/0002_next.ts', '../src/db/jobs.ts', 'migrations may import nothing of ours'],
  ['domain imports db', 'src/domain.ts', './db/jobs.ts', 'domain, config, log and metrics may import nothing of ours'],
  ['a resolver speaks SQL', 'src/resolvers/a.ts', 'kysely', 'only src/db speaks to Postgres'],
  ['a job is queued past the queue', 'src/engine/pool.ts', 'pg-boss', 'only src/engine/queue.ts knows pg-boss'],
  ['a file imports what is not there', 'src/engine/a.ts', './missing.ts', 'every import is there'],
])('it is found when %s', async (_what, file, imported, rule) => {
  const wrong = await findWrongArrows(await houseWith({ [file]: `import '${imported}'\n` }))
  expect(wrong.filter((line) => line.startsWith(`${file} -> `) && line.includes(rule))).toHaveLength(1)
})

test('a dynamic import counts, and so does an import inside `await using`', async () => {
  const root = await houseWith({
    'src/db/a.ts': "export const later = () => import('../engine/runJob.ts')\n",
    'src/db/b.ts': "export async function b() {\n  await using c = await import('../schema/schema.ts')\n}\n",
  })
  expect(await findWrongArrows(root)).toEqual([
    'src/db/a.ts -> src/engine/runJob.ts (db may import nothing of ours)',
    'src/db/b.ts -> src/schema/schema.ts (db may import nothing of ours)',
  ])
})

test('types may be imported any way', async () => {
  const root = await houseWith({
    'src/db/types.ts': "import type { run } from '../engine/runJob.ts'\nexport type Run = typeof run\n",
  })
  expect(await findWrongArrows(root)).toEqual([])
})

test('a cycle is found, and one of types alone is none', async () => {
  const root = await houseWith({
    'src/db/a.ts': "import { b } from './b.ts'\nexport const a = () => b\n",
    'src/db/b.ts': "import { a } from './a.ts'\nexport const b = () => a\n",
    'src/db/c.ts': "import { d } from './d.ts'\nexport type C = 1\nexport const c = d\n",
    'src/db/d.ts': "import type { C } from './c.ts'\nexport const d: C = 1\n",
  })
  const wrong = await findWrongArrows(root)
  expect(wrong).toEqual(expect.arrayContaining([expect.stringMatching(/^src\/db\/a\.ts -> .*\(no cycles\)$/)]))
  expect(wrong.filter((line) => !/\/[ab]\.ts .*\(no cycles\)$/.test(line))).toEqual([])
})

test('a source file that the check cannot read is named', async () => {
  const root = await houseWith({ 'src/engine/node_modules/hidden.ts': 'export const hidden = 1\n' })
  expect(await findWrongArrows(root)).toEqual(['src/engine/node_modules/hidden.ts was not read'])
})
