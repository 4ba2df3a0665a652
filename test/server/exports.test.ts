import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { writeJobCsv } from '../../src/engine/csv.ts'
import { linkLifetimeMs } from '../../src/engine/exportLinks.ts'
import { limits } from '../../src/server/limits.ts'
import { adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'
import { readCsv } from '../support/csv.ts'
import { insertProspects } from '../support/prospects.ts'
import { duval, insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

const rows = 5_000
let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
  // More than the buffers of two sockets hold.
  await sql`insert into prospects (county_fips, county_state, case_number, lot, auction_date, first_seen_at,
      final_judgment_amount, auction_status, auction_type, legal_description, source_url, raw_data)
    select '12086', 'FL', 'C-' || n, n, case when n % 10 > 0 then date '2026-01-01' + n % 300 end,
      timestamptz '2026-01-01' + n * interval '1 second', n - 100, 'SCHEDULED', 'FORECLOSURE',
      repeat('LOT ' || n || ', ', 400), 'https://x.example.com/', '{"fields": [], "status": null, "area": "W"}'
    from generate_series(1, ${rows}::int) n`.execute(api.db)
})
afterAll(() => api.stop())
afterEach(() => vi.useRealTimers())

const miamiDade = { places: [{ county: { state: 'fl', name: 'miami-dade' } }] }
const exportOf = `query ($filter: ProspectFilter, $orderBy: ProspectOrder, $format: ExportFormat!) {
  prospectExport(filter: $filter, orderBy: $orderBy, format: $format) { url expiresAt }
}`
async function linkTo(variables: Record<string, unknown>, key?: string): Promise<string> {
  const { prospectExport } = await api.ask(exportOf, { format: 'NDJSON', ...variables }, key)
  return prospectExport.url as string
}

async function pages(variables: { filter?: unknown; orderBy?: unknown }): Promise<Record<string, unknown>[]> {
  const nodes: Record<string, unknown>[] = []
  let after: string | null = null
  do {
    const query = `query ($filter: ProspectFilter, $orderBy: ProspectOrder, $after: String) {
      prospects(filter: $filter, orderBy: $orderBy, first: 200, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { id caseNumber lot auctionDate finalJudgmentAmount surplus rawData listed firstSeenAt plaintiff }
      }
    }`
    const { prospects } = await api.ask(query, { ...variables, after })
    nodes.push(...prospects.nodes)
    after = prospects.pageInfo.hasNextPage ? prospects.pageInfo.endCursor : null
  } while (after !== null)
  return nodes
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** How many transactions are open on the database. */
async function reading(): Promise<number> {
  const found = await sql<{ open: number }>`select count(*) as open from pg_stat_activity
    where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`.execute(api.db)
  return found.rows[0]?.open ?? -1
}

/** A request whose answer is not read. */
async function open(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const request = get(url, { headers, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return response
}

describe('a file holds what prospects would say, page by page', () => {
  test('as NDJSON, in the order that was asked for', async () => {
    const selection = { filter: miamiDade, orderBy: { field: 'FIRST_SEEN_AT', direction: 'DESC' } }
    const response = await fetch(await linkTo(selection))
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    const exported = lines(await response.text())
    const listed = await pages(selection)
    expect(exported).toHaveLength(rows)
    expect(exported.map((line) => line['id'])).toEqual(listed.map((node) => node['id']))
    expect(exported[17]).toMatchObject(listed[17] ?? {})
    expect(exported[17]).toMatchObject({ state: 'FL', county: 'Miami-Dade' })
  })

  test('as CSV, without dates last', async () => {
    const filter = { ...miamiDade, firstSeenAt: { from: '2026-01-01T00:50:00.000Z' } }
    const response = await fetch(await linkTo({ filter, format: 'CSV' }))
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': expect.stringMatching(/^attachment; filename="prospects_\d{4}-\d\d-\d\d\.csv"$/),
      'cache-control': 'private, no-store',
    })
    const exported = readCsv(await response.text())
    const listed = await pages({ filter })
    expect(exported).toHaveLength(rows - 2_999)
    const amounts = { surplus: '' }
    expect(exported.map(({ id, auctionDate, lot }) => ({ id, auctionDate, lot }))).toEqual(
      listed.map(({ id, auctionDate, lot }) => ({ id, auctionDate: auctionDate ?? '', lot: String(lot) })),
    )
    expect(exported[0]).toMatchObject({ ...amounts, finalJudgmentAmount: listed[0]?.['finalJudgmentAmount'] })
  })

  test.each(['COUNTY', 'FINAL_JUDGMENT_AMOUNT', 'UPDATED_AT'])(
    'by %s, with alternatives and amounts',
    async (field) => {
      const anyOf = [{ finalJudgmentAmount: { max: '-50.00' } }, { firstSeenAt: { from: '2026-01-01T01:20:00.000Z' } }]
      const selection = { filter: { ...miamiDade, anyOf }, orderBy: { field, direction: 'DESC' } }
      const exported = lines(await (await fetch(await linkTo(selection))).text())
      expect(exported.map((line) => line['id'])).toEqual((await pages(selection)).map((node) => node['id']))
      expect(exported).toHaveLength(50 + 201)
    },
  )

  test('with formulas marked as text, and amounts left alone', async () => {
    const formula = { plaintiff: '=1+1', defendant: '@x', finalJudgmentAmount: '-5.00', caseNumber: '-1' }
    const [row] = await insertProspects(api.db, [formula])
    const filter = { ids: [idOf('Prospect', row?.id ?? '')] }
    const csv = readCsv(await (await fetch(await linkTo({ filter, format: 'CSV' }))).text())
    expect(csv).toEqual([
      expect.objectContaining({
        plaintiff: "'=1+1",
        defendant: "'@x",
        finalJudgmentAmount: '-5.00',
        caseNumber: "'-1",
      }),
    ])
    expect(lines(await (await fetch(await linkTo({ filter }))).text())).toEqual([expect.objectContaining(formula)])
  })

  test('and nothing but a header where nothing matches', async () => {
    const filter = { places: [{ state: 'AK' }] }
    expect(await (await fetch(await linkTo({ filter, format: 'CSV' }))).text()).toMatch(/^id,state,county,[^\n]*\n$/)
    expect(await (await fetch(await linkTo({ filter }))).text()).toBe('')
  })

  test('compressed for those who take it', async () => {
    const filter = { ...miamiDade, auctionDate: { undated: true } }
    const url = await linkTo({ filter })
    const plain = await open(url, { 'accept-encoding': 'gzip;q=0, br' })
    expect(plain.headers['content-encoding']).toBeUndefined()
    const zipped = await open(url, { 'accept-encoding': 'br, gzip' })
    expect(zipped.headers['content-encoding']).toBe('gzip')
    const [text, packed] = await Promise.all([Array.fromAsync(plain), Array.fromAsync(zipped)])
    expect(gunzipSync(Buffer.concat(packed as Buffer[]))).toEqual(Buffer.concat(text as Buffer[]))
  })
})

test('a key that has its exports open is told to come back, and keeps no other from theirs', async () => {
  const url = await linkTo({ filter: miamiDade })
  const clients = await Promise.all(Array.from({ length: limits.exportsPerKey }, async () => await open(url)))
  await until(async () => expect(await reading()).toBe(limits.exportsPerKey))
  const refused = await fetch(url)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10'])
  await refused.text()
  const { key } = await api.keyOf('VIEWER')
  const theirs = await fetch(await linkTo({ filter: miamiDade }, key))
  expect(theirs.status).toBe(200)
  await theirs.body?.cancel()
  for (const client of clients) client.destroy()
  await until(async () => expect(await reading()).toBe(0))
})

test('a client that leaves half way frees its connection; more clients than a node streams to are told to come back', async () => {
  const url = await linkTo({ filter: miamiDade })
  const { key } = await api.keyOf('VIEWER')
  const links = [url, await linkTo({ filter: miamiDade }, key)]
  const clients = await Promise.all(
    links.flatMap((link) => Array.from({ length: limits.exportsPerKey }, async () => await open(link))),
  )
  expect(clients).toHaveLength(limits.exportsAtOnce)
  await until(async () => expect(await reading()).toBe(limits.exportsAtOnce))
  const busy = await fetch(url)
  expect([busy.status, busy.headers.get('retry-after')]).toEqual([503, '10'])
  await busy.text()
  for (const client of clients) client.destroy()
  await until(async () => expect(await reading()).toBe(0))
  expect(lines(await (await fetch(url)).text())).toHaveLength(rows)
})

describe('a link that is not good gets 403 and no reason', () => {
  const refusal = { status: 403, body: '{"status":"forbidden"}' }
  async function answerOf(url: string) {
    const response = await fetch(url)
    return { status: response.status, body: await response.text() }
  }

  test('forged', async () => {
    const url = new URL(await linkTo({ filter: miamiDade }))
    const [claims = '', signature = ''] = url.pathname.slice('/exports/'.length).split('.')
    const json = Buffer.from(claims, 'base64url').toString()
    const other = Buffer.from(json.replace(/"expires":\d+/, '"expires":9999999999')).toString('base64url')
    for (const token of [
      '',
      'x',
      claims,
      `${other}.${signature}`,
      `${claims}.${signature.slice(0, -1)}`,
      `${claims}.${'A'.repeat(43)}`,
      `${claims}.${signature}x`,
      `x${claims}.${signature}`,
      'x'.repeat(8_000),
    ]) {
      expect(await answerOf(`${url.origin}/exports/${token}`)).toEqual(refusal)
    }
  })

  test('expired', async () => {
    const { prospectExport } = await api.ask(exportOf, { filter: miamiDade, format: 'CSV' })
    const expiresAt = new Date(prospectExport.expiresAt as string)
    expect(expiresAt.getTime() - Date.now()).toBeLessThanOrEqual(linkLifetimeMs)
    vi.useFakeTimers({ toFake: ['Date'], now: expiresAt })
    expect(await answerOf(prospectExport.url)).toEqual(refusal)
  })

  test('of a key that was revoked, or whose user is not active', async () => {
    const filter = { places: [{ state: 'AK' }] }
    const revoked = await api.keyOf('VIEWER')
    const inactive = await api.keyOf('VIEWER')
    const urls = [await linkTo({ filter }, revoked.key), await linkTo({ filter }, inactive.key)]
    for (const url of urls) expect((await fetch(url)).status).toBe(200)
    await api.db.updateTable('apiKeys').set({ revokedAt: new Date() }).where('id', '=', revoked.keyId).execute()
    await api.db.updateTable('users').set({ active: false }).where('id', '=', inactive.userId).execute()
    for (const url of urls) expect(await answerOf(url)).toEqual(refusal)
  })

  test('of a key that is revoked while the file is read, which ends it', async () => {
    const { key, keyId } = await api.keyOf('VIEWER')
    const client = await open(await linkTo({ filter: miamiDade }, key))
    await until(async () => expect(await reading()).toBe(1))
    await api.db.updateTable('apiKeys').set({ revokedAt: new Date() }).where('id', '=', keyId).execute()
    await until(async () => expect(await reading()).toBe(0))
    await expect(Array.fromAsync(client)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

test('a link is read with GET alone', async () => {
  const url = await linkTo({ filter: miamiDade })
  for (const method of ['HEAD', 'POST', 'DELETE']) {
    const response = await fetch(url, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET'])
  }
})

test('a link begins with the address its client asked at', async () => {
  async function originFor(headers: Record<string, string>): Promise<string> {
    const query = encodeURIComponent('{ prospectExport(format: CSV) { url } }')
    const answer = await open(`${api.url}/graphql?query=${query}`, { authorization: `Bearer ${adminKey}`, ...headers })
    const body = Buffer.concat((await Array.fromAsync(answer)) as Buffer[]).toString()
    return new URL((JSON.parse(body) as { data: { prospectExport: { url: string } } }).data.prospectExport.url).origin
  }
  expect(await originFor({})).toBe(api.url)
  expect(await originFor({ host: 'gavel.example:8443', 'x-forwarded-proto': 'https, http' })).toBe(
    'https://gavel.example:8443',
  )
})

test('what prospects refuses is refused, and so is a filter that is too long for a link', async () => {
  const manyIds = Array.from({ length: 200 }, () => idOf('Prospect', '00000000-0000-4000-8000-000000000000'))
  for (const filter of [{ ids: ['x'] }, { ids: [] }, { ids: manyIds }]) {
    const { errors } = await api.post(exportOf, { filter, format: 'CSV' })
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
  }
})

test("a job's csvUrl leads to the file that it has written, for whoever holds it", async () => {
  const site = await insertSite(api.db)
  const job = await insertJob(api.db, site, { startDate: '2026-03-16' })
  const saved = await insertProspects(
    api.db,
    ['=a', 'b'].map((plaintiff) => ({
      plaintiff,
      caseNumber: 'J',
      caseKey: `J${plaintiff}`,
      rawData: JSON.stringify({ fields: [{ label: 'Case #:', value: plaintiff }], status: null, area: null }),
    })),
  )
  await api.db
    .insertInto('jobProspects')
    .values(saved.map(({ id }) => ({ jobId: job.id, prospectId: id })))
    .execute()
  const ended = { status: 'COMPLETED' as const, finishedAt: new Date(), durationMs: 1 }
  await api.db.updateTable('jobs').set(ended).where('id', '=', job.id).execute()
  const folder = await mkdtemp(join(tmpdir(), 'gavel-exports-'))
  const place = { state: duval.stateCode, countyName: duval.name }
  const file = await readFile(await writeJobCsv(api.db, folder, job, place), 'utf8')
  await rm(folder, { recursive: true })

  const query = 'query ($id: ID!) { job(id: $id) { result { csvUrl } } }'
  const { key } = await api.keyOf('VIEWER')
  const { csvUrl } = (await api.ask(query, { id: idOf('ScrapingJob', job.id) }, key)).job.result
  const response = await fetch(csvUrl)
  expect(response.headers.get('content-disposition')).toBe(`attachment; filename="FL_Duval_${job.id}.csv"`)
  expect(await response.text()).toBe(file)
  expect(readCsv(file).map((line) => line['Case #:'])).toEqual(expect.arrayContaining(["'=a", 'b']))

  const socket = api.client(key).iterate<{ job: { result: { csvUrl: string } } }>({
    query,
    variables: { id: idOf('ScrapingJob', job.id) },
  })
  const { value } = await socket.next()
  const overSocket = value?.data?.job.result.csvUrl as string
  expect(await (await fetch(overSocket)).text()).toBe(file)

  await api.db.deleteFrom('jobProspects').where('jobId', '=', job.id).execute()
  await api.db.deleteFrom('jobs').where('id', '=', job.id).execute()
  expect((await fetch(csvUrl)).status).toBe(403)
})
