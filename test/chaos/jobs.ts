import { seededRandom } from '../../src/demo/site/random.ts'
import { day } from '../support/sampleDays.ts'
import type { Api } from './api.ts'
import { range } from './sites.ts'

/** The jobs of a run. */
export interface Jobs {
  /** Submits until every site has some that are not terminal. */
  feed(): Promise<void>
  /** Submits one job for all days of every site. */
  submitWhole(): Promise<void>
  /** Cancels one that is not terminal; false when there is none. */
  cancel(pick: number): Promise<boolean>
  /** Retries one that has failed, or runs one again that is over; false when there is none. */
  runAgain(pick: number): Promise<boolean>
  /** Clones one; false when there is none. */
  clone(pick: number): Promise<boolean>
  /** Gives those that failed another run and releases those that are held; how many are not terminal yet, or have failed. */
  finish(): Promise<number>
  /** Every job that was answered, in order. */
  readonly submitted: readonly { id: string }[]
}

const openPerSite = 3

interface Refusable {
  message?: string
}

export function createJobs(api: Api, options: { scrapeUrlIds: readonly string[]; seed: number; most: number }): Jobs {
  const { scrapeUrlIds, seed, most } = options
  const submitted: { id: string }[] = []

  let keys = 0

  /** Makes one job however often it has to be sent. */
  async function make(name: 'submitJob' | 'cloneJob', input: Record<string, unknown>): Promise<void> {
    keys += 1
    const types = name === 'submitJob' ? ['SubmitJobInput', 'SubmitJobSuccess'] : ['CloneJobInput', 'CloneJobSuccess']
    const { made } = await api.ask<{ made: Refusable & { job?: { id: string } } }>(
      `mutation ($input: ${types[0]}!) {
        made: ${name}(input: $input) { ... on ${types[1]} { job { id } } ... on Error { message } }
      }`,
      { input: { idempotencyKey: `chaos-${seed}-${keys}`, ...input } },
    )
    if (!made.job) throw new Error(`a job was refused: ${made.message}`)
    submitted.push({ id: made.job.id })
  }

  const submit = async (site: number, input: Record<string, unknown>) =>
    await make('submitJob', { scrapeUrlId: scrapeUrlIds[site], ...input })

  async function withStatus(...status: string[]): Promise<ListedJob[]> {
    const { jobs } = await api.ask<{ jobs: { nodes: ListedJob[] } }>(
      `query ($status: [JobStatus!]) {
        jobs(filter: { status: $status }, orderBy: { field: CREATED_AT, direction: ASC }, first: 200) {
          nodes { id status canRetry held scrapeUrl { id } }
        }
      }`,
      { status },
    )
    return jobs.nodes
  }

  /** Without an answer it may have been done: what it says then is no fault. */
  async function command(name: 'cancelJob' | 'retryJob' | 'runJob', id: string): Promise<void> {
    await api.ask(`mutation ($id: ID!) { ${name}(id: $id) { __typename ... on Error { message } } }`, { id })
  }

  const again = async (job: ListedJob) => await command(job.canRetry ? 'retryJob' : 'runJob', job.id)

  return {
    async feed() {
      const open = await withStatus('PENDING', 'RUNNING')
      for (const [site, id] of scrapeUrlIds.entries()) {
        const here = open.filter((job) => job.scrapeUrl.id === id).length
        for (let n = here; n < openPerSite && submitted.length < most; n += 1) {
          const random = seededRandom('chaos job', seed, submitted.length)
          const first = random.integer(range.first, range.last - 4)
          const last = Math.min(range.last, first + random.integer(2, 6))
          await submit(site, {
            startDate: day(first),
            endDate: day(last),
            priority: random.integer(-2, 2),
            timeoutSeconds: random.integer(6, 30),
            hold: random.chance(0.1),
          })
        }
      }
    },
    async submitWhole() {
      for (const site of scrapeUrlIds.keys()) await submit(site, { startDate: range.startDate, endDate: range.endDate })
    },
    async cancel(pick) {
      const open = await withStatus('PENDING', 'RUNNING')
      // Those that run first: there is more to it.
      const job = open.sort((a, b) => b.status.localeCompare(a.status))[pick % Math.max(1, Math.min(4, open.length))]
      if (job) await command('cancelJob', job.id)
      return job !== undefined
    },
    async runAgain(pick) {
      const over = await withStatus('FAILED', 'CANCELLED', 'COMPLETED')
      const job = over[pick % Math.max(1, over.length)]
      if (job) await again(job)
      return job !== undefined
    },
    async clone(pick) {
      const all = await withStatus('PENDING', 'RUNNING', 'FAILED', 'CANCELLED', 'COMPLETED')
      const job = all[pick % Math.max(1, all.length)]
      if (job) await make('cloneJob', { id: job.id, hold: false })
      return job !== undefined
    },
    async finish() {
      const left = await withStatus('PENDING', 'RUNNING', 'FAILED')
      for (const job of left) if (job.status === 'FAILED') await again(job)
      if (left.some((job) => job.held)) await api.ask('mutation { processPendingJobs { __typename } }')
      return left.length
    },
    submitted,
  }
}

interface ListedJob {
  id: string
  status: string
  canRetry: boolean
  held: boolean
  scrapeUrl: { id: string }
}

/** Saves the sites, two to a county; answers their ids. */
export async function saveSites(api: Api, urls: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const [site, url] of urls.entries()) {
    const { county } = await api.ask<{ county: { id: string } }>(
      'query ($name: String!) { county(state: "OH", name: $name) { id } }',
      { name: counties[Math.floor(site / 2) % counties.length] },
    )
    const input = { countyId: county.id, url, platform: 'REALAUCTION', auctionType: 'SHERIFF_SALE', transport: 'HTTP' }
    const { saveScrapeUrl } = await api.ask<{ saveScrapeUrl: Refusable & { scrapeUrl?: { id: string } } }>(
      `mutation ($input: SaveScrapeUrlInput!) {
        saveScrapeUrl(input: $input) { ... on SaveScrapeUrlSuccess { scrapeUrl { id } } ... on Error { message } }
      }`,
      { input },
    )
    if (!saveScrapeUrl.scrapeUrl) throw new Error(`a site was refused: ${saveScrapeUrl.message}`)
    ids.push(saveScrapeUrl.scrapeUrl.id)
  }
  return ids
}

const counties = ['Montgomery', 'Franklin', 'Hamilton', 'Summit', 'Lucas']
