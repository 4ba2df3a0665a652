import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadAnswer } from '../../src/demo/site/loadAnswer.ts'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { day, sale, today } from '../support/sampleDays.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const [first, second] = [sale(-2, 12), sale(-1, 14)]
const range = ['--from', day(-2), '--to', day(-1)]

let site: SampleSite
let other: SampleSite
let gavel: Gavel

beforeAll(async () => {
  site = await startSampleSite({ days: [first, second], today })
  other = await startSampleSite({ days: [], today })
  gavel = await openGavel([site, other], { GAVEL_RETRY_DELAYS: '0,0,0' })
})

afterEach(() => {
  site.faults.clear()
})

afterAll(async () => {
  await gavel.close()
  await Promise.all([site.close(), other.close()])
})

describe('migrate and doctor', () => {
  test('doctor names the migrations that are missing and how to run them, and is content when they have run', async () => {
    expect((await gavel.run(['migrate', '--down'])).code).toBe(0)
    const sick = await gavel.run(['doctor'])
    expect(sick).toMatchObject({ code: 1, stdout: expect.stringMatching(/migrations[^]*migrate/) })
    expect((await gavel.run(['migrate'])).code).toBe(0)
    expect(await gavel.run(['doctor'])).toMatchObject({ code: 0, stdout: expect.not.stringContaining('missing') })
  })
})

describe('keys', () => {
  test('a key is made with its user, listed without its secret, and revoked', async () => {
    const made = await gavel.run(['keys', 'create', '--name', 'ann', '--role', 'viewer'])
    expect(made.code).toBe(0)
    const secrets = made.stdout.match(/\bgavel_\w{20,}/g) ?? made.stdout.trim().split('\n').slice(-1)
    expect(new Set(secrets).size).toBe(1)
    const listed = await gavel.run(['keys', 'list'])
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('ann') })
    expect(listed.stdout).not.toContain(secrets[0])
    const [key] = await gavel.db.selectFrom('apiKeys').selectAll().execute()
    expect(listed.stdout).toContain(key?.id)
    expect((await gavel.run(['keys', 'revoke', key?.id ?? ''])).code).toBe(0)
    expect((await gavel.db.selectFrom('apiKeys').select('revokedAt').execute())[0]?.revokedAt).not.toBeNull()
  })

  test.each([
    ['an unknown role', ['create', '--name', 'ann', '--role', 'king']],
    ['no name', ['create', '--role', 'viewer']],
  ])('%s is a usage error', async (_, args) => {
    const before = await gavel.db.selectFrom('apiKeys').select('id').execute()
    const { code, stderr } = await gavel.run(['keys', ...args])
    expect(code).toBe(2)
    expect(stderr).not.toBe('')
    expect(await gavel.db.selectFrom('apiKeys').select('id').execute()).toEqual(before)
  })

  test('an end of an unknown key fails', async () => {
    expect((await gavel.run(['keys', 'revoke', '00000000-0000-4000-8000-000000000000'])).code).not.toBe(0)
  })
})

describe('scrape', () => {
  test('saves an unknown url and prints the result as JSON', async () => {
    const args = ['--county', 'FL/duval', '--platform', 'RealAuction', '--transport', 'http', ...range, '--json']
    const { code, stdout } = await gavel.run(['scrape', site.url, ...args])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'COMPLETED' })
    for (const { date, items } of [first, second]) {
      expect(JSON.parse(stdout).days).toContainEqual(
        expect.objectContaining({ date, outcome: 'COMPLETE', proof: 'ID_LIST', saved: items.length }),
      )
    }
    const stored = await gavel.db.selectFrom('prospects').select('auctionId').execute()
    expect(stored).toHaveLength(26)
    expect(new Set(stored.map(({ auctionId }) => auctionId))).toEqual(
      new Set([...first.items, ...second.items].map(({ aid }) => aid)),
    )
  })

  test('takes a saved site by its url, its id and its county, and tells each day', async () => {
    const { id } = await gavel.db.selectFrom('scrapeUrls').select('id').executeTakeFirstOrThrow()
    for (const target of [site.url, id, 'fl/DUVAL']) {
      const { code, stdout } = await gavel.run(['scrape', target, ...range])
      expect({ target, code }).toEqual({ target, code: 0 })
      expect(stdout).toContain(day(-1))
      expect(stdout).toContain('COMPLETE')
    }
  })

  test('ends with 1 when the job has failed', async () => {
    site.faults.add({ kind: 'status403', when: { request: 'PREVIEW' } })
    const { code, stdout, stderr } = await gavel.run(['scrape', site.url, ...range])
    expect(code).toBe(1)
    expect(stdout + stderr).toContain('BLOCKED')
  })

  test('ends with 130 on Ctrl-C, which cancels the job', async () => {
    site.faults.add({ kind: 'stall', when: { request: 'LOAD', date: day(-1) } })
    const scraping = gavel.start(['scrape', site.url, ...range])
    await vi.waitFor(() => expect(site.faults.held).toBe(1), { timeout: 50_000 })
    scraping.kill('SIGINT')
    expect((await scraping.ended).code).toBe(130)
    const [job] = await gavel.db.selectFrom('jobs').selectAll().orderBy('createdAt', 'desc').limit(1).execute()
    expect(job).toMatchObject({ status: 'CANCELLED', finishedAt: expect.any(Date) })
  })

  test.each([
    ['an unknown url without its county', ['http://unknown.example.com/']],
    ['a county without a site', ['FL/Lee']],
    ['an unknown transport', ['FL/Duval', '--transport', 'pigeon']],
    ['a date that is none', ['FL/Duval', '--from', '2026-02-30']],
    ['a range that ends before it begins', ['FL/Duval', '--from', day(-1), '--to', day(-2)]],
  ])('%s is a usage error', async (_, args) => {
    const before = await gavel.db.selectFrom('jobs').select('id').execute()
    const { code, stdout, stderr } = await gavel.run(['scrape', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).not.toMatch(/^\s*at /m)
    expect(await gavel.db.selectFrom('jobs').select('id').execute()).toEqual(before)
  })
})

describe('beside a node that serves only,', () => {
  let api: GavelNode

  beforeAll(async () => {
    api = await gavel.serve({ GAVEL_WORKERS: '0' })
  })

  test('several sites of a county and no --type: exit 2, listing them', async () => {
    await api.saveSite(other, { auctionType: 'TAX_DEED' })
    const { code, stderr } = await gavel.run(['scrape', 'FL/Duval', ...range])
    expect(code).toBe(2)
    for (const one of [site, other]) expect(stderr).toContain(one.host)
    expect((await gavel.run(['scrape', 'FL/Duval', '--type', 'tax_deed', ...range])).code).toBe(0)
  })

  test('a worker node runs what was submitted, and both stop on SIGTERM', async () => {
    const { scrapeUrls } = await api.ask('{ scrapeUrls { nodes { id url } } }')
    const { id: scrapeUrlId } = scrapeUrls.nodes.find(({ url }: { url: string }) => url === site.url)
    const jobId = await api.submit({ scrapeUrlId, startDate: day(-2), endDate: day(-1) })
    const worker = gavel.start(['worker', '--workers', '1'])
    const job = await api.untilEnded(jobId)
    expect(job).toMatchObject({ status: 'COMPLETED', result: { rowsCollected: 26 } })
    for (const one of [worker, api.process]) {
      one.kill('SIGTERM')
      expect(await one.ended).toMatchObject({ code: 0, signal: null })
    }
  })
})

describe('parse', () => {
  test('prints the auctions of a saved answer, one a line, by the names of the API', async () => {
    const file = join(gavel.folder, 'load.json')
    const items = second.items.slice(0, 10)
    await writeFile(file, loadAnswer(items))
    const { code, stdout } = await gavel.run([
      'parse',
      '--platform',
      'realauction',
      '--county',
      'FL/Duval',
      '--date',
      day(-1),
      '--area',
      'C',
      file,
    ])
    expect(code).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toEqual(
      items.map(({ aid, fields }) => ({
        auctionId: aid,
        fields,
        prospect: expect.objectContaining({ auctionId: aid, auctionDate: day(-1) }),
        rejected: null,
      })),
    )
  })

  test('goes on after a file that cannot be read, with one line about it, and ends with 1', async () => {
    const file = join(gavel.folder, 'one.json')
    await writeFile(file, loadAnswer(second.items.slice(0, 1)))
    const { code, stdout, stderr } = await gavel.run(['parse', '--platform', 'REALAUCTION', 'nowhere.html', file])
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('nowhere.html')])
    expect(stdout.trim().split('\n')).toHaveLength(1)
  })

  test('prints nothing for a body without items, and asks for a platform', async () => {
    const file = join(gavel.folder, 'empty.json')
    await writeFile(file, loadAnswer([]))
    expect(await gavel.run(['parse', '--platform', 'REALAUCTION', file])).toMatchObject({ code: 0, stdout: '' })
    expect((await gavel.run(['parse', file])).code).toBe(2)
  })
})
