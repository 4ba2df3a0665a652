import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { DateTime } from 'luxon'
import { formatDays, formatStatus } from '../terminal/days.ts'
import { openProgress, type ProgressView } from '../terminal/progress.ts'
import { formatTable } from '../terminal/table.ts'
import { type ApiClient, createApiClient } from './apiClient.ts'
import { type GavelServer, startGavel } from './gavelServer.ts'
import {
  type CountyAnswer,
  countyQuery,
  type DemoProspect,
  type JobAnswer,
  type JobStatusAnswer,
  jobQuery,
  jobStatusSubscription,
  type SaveScrapeUrlAnswer,
  type SubmitJobAnswer,
  type SubmittedJob,
  saveScrapeUrlMutation,
  submitJobMutation,
} from './operations.ts'
import { generateDays } from './site/generate.ts'
import { type SampleSite, startSampleSite } from './site/server.ts'

/**
 * `npm run demo`: Gavel on an embedded Postgres against three sample county sites, used through its public API alone.
 * Exits 0 when every job completed with every day proved; `--keep` stays up until Ctrl-C.
 */
const counties = [
  { state: 'FL', name: 'Duval', auctionType: 'FORECLOSURE', days: 'FC', perDay: 23 },
  { state: 'FL', name: 'Alachua', auctionType: 'TAX_DEED', days: 'TD', perDay: 9 },
  { state: 'OH', name: 'Montgomery', auctionType: 'SHERIFF_SALE', days: 'SHERIFF', perDay: 14 },
] as const

const { values: flags } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
const started = performance.now()
const say = (text: string) => console.log(`${styleText('dim', `[${seconds(started)} s]`)} ${text}`)

// Everything that was opened, closed in the opposite order whatever happens.
await using closing = new AsyncDisposableStack()
const dataDir = await mkdtemp(join(tmpdir(), 'gavel-demo-'))
closing.defer(() => rm(dataDir, { recursive: true, force: true }))

const today = DateTime.now().setZone('America/New_York').toISODate() ?? ''
const startDate = shift(today, -6)
const endDate = shift(today, 8)
const sites = await Promise.all(counties.map((county, i) => openSite(county, i + 1)))
say(`${sites.length} sample county sites are up, each on a port of its own; each errs a few times on purpose`)

const key = `gavel_demo_${randomBytes(18).toString('base64url')}`
const gavel = await openGavel(sites)
say(`Gavel is up at ${gavel.url} on an embedded Postgres`)
const api = createApiClient(`${gavel.url}/graphql`, key)
closing.defer(() => api.close())

const jobs: SubmittedJob[] = []
for (const [i, county] of counties.entries()) jobs.push(await submit(api, county, sites[i]))
say(`${jobs.length} jobs submitted; following them over a WebSocket`)
const view = openProgress(process.stderr)
await Promise.all(jobs.map((job) => follow(api, job, view)))
view.close()

const complete = []
for (const job of jobs) complete.push(await report(api, job))
say(complete.every(Boolean) ? 'every listing of every day is there, and proved' : 'not every job could be completed')
process.exitCode = complete.every(Boolean) ? 0 : 1

if (flags.keep) {
  say(`GraphiQL ${gavel.url}/graphiql  key ${key}  (Ctrl-C ends it)`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}

/** A site that errs now and then, as the real ones do: none of it may cost a listing. */
async function openSite({ perDay, days: type }: (typeof counties)[number], seed: number): Promise<SampleSite> {
  const range = { from: shift(today, -14), to: shift(today, 30) }
  const site = await startSampleSite({
    days: generateDays({ ...range, today, perDay, seed, types: [type] }),
    today,
    latencyMs: 30,
  })
  site.faults.add({ kind: 'status500', times: 1, when: { request: 'LOAD' } })
  site.faults.add({ kind: 'status429', times: 1, retryAfterSeconds: 1, when: { request: 'PREVIEW' } })
  site.faults.add({ kind: 'shortPage', times: 1, when: { request: 'LOAD', area: 'W' } })
  closing.defer(() => site.close())
  return site
}

async function openGavel(behind: readonly SampleSite[]): Promise<GavelServer> {
  const server = await startGavel(
    {
      PORT: '0',
      DATABASE_URL: '',
      GAVEL_DATA_DIR: join(dataDir, 'data'),
      GAVEL_CSV_DIR: join(dataDir, 'csv'),
      GAVEL_ADMIN_KEY: key,
      GAVEL_WORKERS: String(behind.length),
      GAVEL_ALLOW_PRIVATE_HOSTS: behind.map((site) => site.host).join(','),
      // The sample sites are ours: no need to be as gentle as with a county's.
      GAVEL_HOST_RPS: '50',
      GAVEL_PLATFORM_RPS: '100',
    },
    (line) => process.stderr.write(`${styleText('yellow', 'gavel')} ${line}\n`),
  )
  closing.defer(() => server.stop())
  return server
}

async function submit(client: ApiClient, county: (typeof counties)[number], site?: SampleSite): Promise<SubmittedJob> {
  const found = await client.request<CountyAnswer>(countyQuery, { state: county.state, name: county.name })
  const saved = await client.request<SaveScrapeUrlAnswer>(saveScrapeUrlMutation, {
    input: { countyId: found.county?.id, url: site?.url, platform: 'REALAUCTION', auctionType: county.auctionType },
  })
  const scrapeUrlId = saved.saveScrapeUrl.scrapeUrl?.id
  if (scrapeUrlId === undefined) throw new Error(saved.saveScrapeUrl.message)
  const answer = await client.request<SubmitJobAnswer>(submitJobMutation, {
    input: { scrapeUrlId, startDate, endDate },
  })
  if (!answer.submitJob.job) throw new Error(answer.submitJob.message)
  return answer.submitJob.job
}

async function follow(client: ApiClient, job: SubmittedJob, bars: ProgressView): Promise<void> {
  for await (const { jobStatus } of client.subscribe<JobStatusAnswer>(jobStatusSubscription, { jobId: job.id })) {
    bars.update({ jobId: job.id, name: job.name, ...jobStatus, ...jobStatus.progress })
  }
}

/** Prints what a job found. True when it completed. */
async function report(client: ApiClient, { id }: SubmittedJob): Promise<boolean> {
  const { job } = await client.request<JobAnswer>(jobQuery, { id })
  if (job === null) throw new Error(`job ${id} is gone`)
  const rows = job.result?.rowsCollected ?? 0
  console.log(
    `\n${styleText('bold', job.name)}  ${formatStatus(job.status)} in ${job.result?.duration}, ${rows} listings`,
  )
  for (const line of formatDays(job.days)) console.log(`  ${line}`)
  console.log(`  the first of ${job.prospects.totalCount} prospects:`)
  for (const line of formatProspects(job.prospects.nodes)) console.log(`    ${line}`)
  return job.status === 'COMPLETED'
}

function formatProspects(prospects: readonly DemoProspect[]): string[] {
  return formatTable(prospects, [
    { title: 'date', value: (one) => one.auctionDate ?? '–' },
    { title: 'case', value: (one) => `${one.caseNumber ?? '–'}${one.lot > 1 ? ` #${one.lot}` : ''}` },
    { title: 'status', value: (one) => one.auctionStatus },
    { title: 'type', value: (one) => one.auctionType },
    { title: 'address', value: (one) => [one.propertyAddress, one.city].filter(Boolean).join(', ') || '–' },
    { title: 'opening bid', value: (one) => one.openingBid ?? '–', align: 'right' },
    { title: 'judgment', value: (one) => one.finalJudgmentAmount ?? '–', align: 'right' },
  ])
}

function shift(date: string, days: number): string {
  return DateTime.fromISO(date, { zone: 'utc' }).plus({ days }).toISODate() ?? ''
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1).padStart(5)
}
