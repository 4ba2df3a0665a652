import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addDays } from '../../src/demo/site/dates.ts'
import { generateDay } from '../../src/demo/site/generate.ts'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { readCsv } from '../support/csv.ts'
import { adminKey, type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { today } from '../support/sampleDays.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 })

const root = fileURLToPath(new URL('../..', import.meta.url))
const document = await readFile(join(root, 'docs/api.md'), 'utf8')

const perDay = 8
const days = [0, 1, 2, 3, 4].map((n) =>
  generateDay(addDays('2026-03-16', n), { today: '2026-03-25', perDay, types: ['FC'] }),
)
const total = perDay * days.length

/** The examples of each part of docs/api.md, by their language. */
type Language = 'sh' | 'js' | 'python'
const parts = document.split(/^## /m).slice(1)
const examples = new Map(parts.map((part) => [part.split('\n', 1)[0] ?? '', blocksOf(part)]))
const preambles = examples.get('Before the first request') as Record<Language, string>
const titles = [
  'Submit a job and watch it',
  'Retry what has failed',
  'Prospects by county and date',
  'Statistics',
  'A file of everything that matches',
]

/** How each language is run. A machine without curl or Python runs only JavaScript: see the first test. */
const programs: Record<Language, { command: string; file: string; needs: string }> = {
  sh: { command: 'sh', file: 'example.sh', needs: 'curl' },
  js: { command: process.execPath, file: 'example.mjs', needs: process.execPath },
  python: { command: 'python3', file: 'example.py', needs: 'python3' },
}
const languages = (Object.keys(programs) as Language[]).filter(
  (language) => spawnSync(programs[language].needs, ['--version']).status === 0,
)

let site: SampleSite
let gavel: Gavel
let node: GavelNode
let scrapeUrlId: string
let folder: string

beforeAll(async () => {
  site = await startSampleSite({ days, today })
  gavel = await openGavel([site])
  node = await gavel.serve()
  scrapeUrlId = await node.saveSite(site, { transport: 'HTTP' })
  folder = await mkdtemp(join(tmpdir(), 'gavel-docs-'))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
})
afterAll(async () => {
  await gavel.close()
  await site.close()
  await rm(folder, { recursive: true, force: true })
})

test('the parts are these, and the examples of each send the same operations in every language', () => {
  expect([...examples.keys()]).toEqual(['Before the first request', ...titles])
  for (const title of titles) {
    const { sh, js, python } = examples.get(title) as Record<Language, string>
    expect(operationsOf(js).length).toBeGreaterThan(0)
    // So what JavaScript proves here holds for the others on a machine that cannot run them.
    expect([operationsOf(sh), operationsOf(python)]).toEqual([operationsOf(js), operationsOf(js)])
  }
})

describe.each(languages)('in %s', (language) => {
  const run = async (title: string) => await runExample(language, title)

  test('a job is submitted and watched to its end', async () => {
    const told = (await run('Submit a job and watch it')).trim().split('\n')
    const last = told.findLast((line) => line.includes('COMPLETED')) ?? ''
    expect(last).toMatch(/\b100\b/)
    expect(last).toMatch(new RegExp(`\\b${total}\\b`))
    expect(told.some((line) => line.includes('RUNNING'))).toBe(true)
  })

  test('a job that has failed is retried', async () => {
    const well = site.faults.add({ kind: 'status403' })
    const range = { startDate: '2026-03-16', endDate: '2026-03-16' }
    const jobId = await node.submit({ scrapeUrlId, ...range, maxAttempts: 1 })
    expect((await node.untilEnded(jobId)).status).toBe('FAILED')
    well()
    expect(await run('Retry what has failed')).toContain('PENDING')
    expect((await node.untilEnded(jobId)).status).toBe('COMPLETED')
  })

  test('prospects are read by county and date', async () => {
    const told = await run('Prospects by county and date')
    const { prospects } = await node.ask('{ prospects(first: 100) { nodes { caseNumber } } }')
    // The shell's example reads one page.
    const expected = prospects.nodes.slice(0, language === 'sh' ? 20 : total)
    for (const { caseNumber } of expected) expect(told).toContain(caseNumber)
  })

  test('statistics are told', async () => {
    const told = await run('Statistics')
    const { prospectStatistics } = await node.ask(
      '{ prospectStatistics(groupBy: [MONTH, AUCTION_STATUS]) { auctionStatus finalJudgmentAmount { sum } } }',
    )
    expect(prospectStatistics.length).toBeGreaterThan(0)
    for (const { auctionStatus, finalJudgmentAmount } of prospectStatistics) {
      expect(told).toMatch(new RegExp(`${auctionStatus}.*${finalJudgmentAmount.sum ?? ''}`))
    }
  })

  test('a file of everything is fetched', async () => {
    const file = join(folder, 'florida.csv')
    await rm(file, { force: true })
    await run('A file of everything that matches')
    const rows = readCsv(await readFile(file, 'utf8'))
    expect(rows).toHaveLength(total)
    for (const row of rows) expect(row).toMatchObject({ state: 'FL', county: 'Duval' })
  })
})

/** Runs an example as its reader would, after the lines that all of them use; returns what it has printed. */
async function runExample(language: Language, title: string): Promise<string> {
  const { command, file } = programs[language]
  const path = join(folder, file)
  const strict = language === 'sh' ? 'set -eu\n' : ''
  await writeFile(path, `${strict}${preambles[language]}\n${examples.get(title)?.[language] ?? ''}`)
  const child = spawn(command, [path], {
    cwd: folder,
    env: { ...process.env, URL: node.url, KEY: adminKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text))
  const { promise, resolve, reject } = Promise.withResolvers<number | null>()
  child.once('error', reject)
  child.once('close', resolve)
  const code = await promise
  expect({ code, ...printed }).toMatchObject({ code: 0, stderr: '' })
  return printed.stdout
}

/** The code blocks of a part that name their language. */
function blocksOf(part: string): Record<string, string> {
  return Object.fromEntries(
    [...part.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', code = '']) => [language, code]),
  )
}

/** The operations in a piece of code, which hold no quotes. */
function operationsOf(code: string): string[] {
  return [...code.matchAll(/['"]((?:query|mutation|subscription) \([^'"\n]*)['"]/g)].map((match) => match[1] ?? '')
}
