import { createClient } from 'graphql-ws'
import { expect, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { SampleSite } from '../../src/demo/site/server.ts'
import type { JobStatus } from '../../src/domain.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- what an answer holds is what its test says
type Data = any

export interface GraphQLAnswer {
  status: number
  data?: Data
  errors?: { message: string; extensions: Record<string, unknown> & { code: string } }[]
}

/** What is saved of a sample site. */
export interface SavedSite {
  county?: { state: string; name: string }
  auctionType?: string
  transport?: 'AUTO' | 'HTTP' | 'BROWSER'
}

/** A client of the public API that uses the contract alone. */
export interface GavelClient {
  post(query: string, variables?: Record<string, unknown>): Promise<GraphQLAnswer>
  /** The data of an operation that must succeed. */
  ask(query: string, variables?: Record<string, unknown>): Promise<Data>
  /** The data of a subscription's messages over WebSocket, until it is complete; throws with the code where it is refused. */
  watch(query: string, variables: Record<string, unknown>): AsyncGenerator<Data>
  /** Saves the site in Florida's Duval County unless told; returns the scrape URL's id. */
  saveSite(site: Pick<SampleSite, 'url'>, saved?: SavedSite): Promise<string>
  /** Returns the job's id. */
  submit(input: { scrapeUrlId: string } & Record<string, unknown>): Promise<string>
  /** The job once it has ended; throws after `patienceMs`, 50 s unless told. */
  untilEnded(jobId: string, patienceMs?: number): Promise<EndedJob>
  close(): Promise<void>
}

export interface EndedJob {
  id: string
  status: JobStatus
  attempt: number
  progress: { rowsProcessed: number; rowsSuccess: number; rowsFailed: number; datesTotal: number; datesDone: number }
  result: { success: boolean; rowsCollected: number; duration: string }
  endedBy: { code: string; category: string; message: string; retryable: boolean } | null
  days: {
    date: string
    outcome: string
    proof: string | null
    expected: number | null
    received: number
    saved: number
    rejected: number
    created: number
    updated: number
    unchanged: number
    attempt: number
    errors: { code: string; category: string; message: string }[]
  }[]
  executions: { nodes: EndedExecution[] }
  errors: { nodes: { code: string; category: string; message: string; date: string | null }[] }
}

export interface EndedExecution {
  attempt: number
  status: string
  startedAt: string
  finishedAt: string | null
  durationMs: number | null
  stats: Record<string, unknown>
  errorMessage: string | null
  workerPid: number
}

const jobQuery = /* GraphQL */ `
  query Job($id: ID!) {
    job(id: $id) {
      id status attempt
      progress { rowsProcessed rowsSuccess rowsFailed datesTotal datesDone }
      result { success rowsCollected duration }
      endedBy { code category message retryable }
      days {
        date outcome proof expected received saved rejected created updated unchanged attempt
        errors { code category message }
      }
      executions { nodes { attempt status startedAt finishedAt durationMs stats errorMessage workerPid } }
      errors { nodes { code category message date } }
    }
  }
`

export function openClient(url: string, key: string | null): GavelClient {
  const authorization = key === null ? {} : { authorization: `Bearer ${key}` }
  const sockets = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: authorization,
  })

  const post: GavelClient['post'] = async (query, variables = {}) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...authorization, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(30_000),
    })
    return { status: response.status, ...((await response.json()) as Omit<GraphQLAnswer, 'status'>) }
  }

  const ask: GavelClient['ask'] = async (query, variables) => {
    const answer = await post(query, variables)
    expect(answer.errors).toBeUndefined()
    return answer.data
  }

  return {
    post,
    ask,
    async *watch(query, variables) {
      try {
        for await (const message of sockets.iterate({ query, variables })) {
          if (message.errors) throw message.errors
          yield message.data
        }
      } catch (refused) {
        if (!Array.isArray(refused)) throw refused
        const told = refused.map(({ message, extensions }) => `${extensions.code}: ${message}`).join('; ')
        throw new Error(told, { cause: refused })
      }
    },
    async saveSite(site, { county = { state: 'FL', name: 'Duval' }, ...saved } = {}) {
      const found = await ask(
        'query ($state: String!, $name: String!) { county(state: $state, name: $name) { id } }',
        county,
      )
      const { saveScrapeUrl } = await ask(
        `mutation ($input: SaveScrapeUrlInput!) {
          saveScrapeUrl(input: $input) { ... on SaveScrapeUrlSuccess { scrapeUrl { id } } ... on Error { message } }
        }`,
        { input: { countyId: found.county.id, url: site.url, platform: 'REALAUCTION', ...saved } },
      )
      expect(saveScrapeUrl).toEqual({ scrapeUrl: { id: expect.any(String) } })
      return saveScrapeUrl.scrapeUrl.id
    },
    async submit(input) {
      const { submitJob } = await ask(
        `mutation ($input: SubmitJobInput!) {
          submitJob(input: $input) { ... on SubmitJobSuccess { job { id } } ... on Error { message } }
        }`,
        { input },
      )
      expect(submitJob).toEqual({ job: { id: expect.any(String) } })
      return submitJob.job.id
    },
    async untilEnded(id, patienceMs = 50_000) {
      return await vi.waitFor(
        async () => {
          const { job } = await ask(jobQuery, { id })
          expect(job.status).toMatch(/COMPLETED|FAILED|CANCELLED/)
          return job as EndedJob
        },
        { timeout: patienceMs, interval: 100 },
      )
    },
    close: async () => sockets.dispose(),
  }
}
