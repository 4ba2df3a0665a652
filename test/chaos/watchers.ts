import { setTimeout as delay } from 'node:timers/promises'
import { type Client, createClient } from 'graphql-ws'
import type { Api } from './api.ts'

/** Clients that watch jobs and prospects, are cut off, and resume where they were. */
export interface Watchers {
  /** Follows the log and the status of a job. */
  watch(jobId: string): void
  /** Follows the changes of all prospects. */
  watchChanges(): void
  /** Breaks every socket. */
  cut(): void
  /** Reads every stream to its end from where it stands: to be called when all jobs are terminal. */
  finish(until: { newestChange: number; deadline: number }): Promise<void>
  readonly watched: readonly WatchedJob[]
  /** How many streams have not come to their end. */
  readonly live: number
  /** The position of the newest change that was heard of; 0: none. */
  readonly changes: number
  /** How often a stream was resumed. */
  readonly resumed: number
  readonly problems: readonly string[]
}

export interface WatchedJob {
  jobId: string
  /** The newest line and the newest sequence that were heard of; 0: none. */
  lastLine: number
  sequence: number
  /** The sequence of the first message, and the sequences of all. */
  firstSequence: number
  sequences: Set<number>
}

/** The data of a message, of whichever subscription. */
interface Heard {
  jobLog: { lines: { line: number }[]; lastLine: number }
  jobStatus: { kind: string; sequence: number; status: string }
  prospectChanges: Change
}
interface Change {
  id: string
  cursor: string
}

const logQuery =
  'subscription ($jobId: ID!, $afterLine: Int) { jobLog(jobId: $jobId, afterLine: $afterLine) { lastLine lines { line } } }'
const statusQuery = `subscription ($jobId: ID!, $afterSequence: Int) {
  jobStatus(jobId: $jobId, afterSequence: $afterSequence) { kind sequence status }
}`
const firstChangeQuery = '{ prospectChanges(first: 1) { nodes { id cursor } } }'
const changesQuery = 'subscription ($after: String) { prospectChanges(after: $after) { id cursor } }'

/** Before a broken stream is resumed. */
const pauseMs = 250

export function createWatchers(api: Api): Watchers {
  const watched: WatchedJob[] = []
  const problems: string[] = []
  const clients = new Set<Client>()
  const following: Promise<boolean>[] = []
  let changes = { position: 0, cursor: null as string | null }
  let resumed = 0
  let live = 0
  let ending = false

  const cut = () => {
    for (const client of clients) client.terminate()
  }

  /** One stream to its end over a socket of its own; throws when it breaks. */
  async function stream(query: string, variables: Record<string, unknown>, hear: (data: Heard) => void) {
    const url = api.url()
    if (url === null) throw new Error('no node serves')
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      connectionParams: { authorization: `Bearer ${api.key}` },
      retryAttempts: 0,
    })
    clients.add(client)
    try {
      for await (const { data, errors } of client.iterate<Heard>({ query, variables })) {
        if (errors || !data) throw new Error(errors?.map((error) => error.message).join('; ') ?? 'no data')
        hear(data)
      }
    } finally {
      clients.delete(client)
      await client.dispose()
    }
  }

  /** A stream to its end, over as many sockets as it takes; false when nobody waits for it any longer. */
  async function follow(read: () => Promise<void>, isOver: () => boolean): Promise<boolean> {
    live += 1
    while (!isOver()) {
      try {
        await read()
        live -= 1
        return true
      } catch {
        // Cut by us, lost with its node, or refused while Postgres is away: each kind of its own, all of them expected.
        resumed += 1
      }
      await delay(pauseMs)
    }
    live -= 1
    return false
  }

  const readLog = async (job: WatchedJob) =>
    await stream(logQuery, { jobId: job.jobId, afterLine: job.lastLine }, ({ jobLog }) => {
      for (const { line } of jobLog.lines) {
        if (line !== job.lastLine + 1) problems.push(`${job.jobId}: line ${line} came after line ${job.lastLine}`)
        job.lastLine = line
      }
      if (jobLog.lastLine !== job.lastLine) problems.push(`${job.jobId}: lastLine ${jobLog.lastLine} is another`)
    })

  const readStatus = async (job: WatchedJob) => {
    const after = job.sequence > 0 ? { afterSequence: job.sequence } : {}
    await stream(statusQuery, { jobId: job.jobId, ...after }, ({ jobStatus }) => {
      const { kind, sequence } = jobStatus
      // A snapshot says how things stand, and that may be known.
      const grows = kind === 'SNAPSHOT' ? sequence >= job.sequence : sequence > job.sequence
      if (!grows) problems.push(`${job.jobId}: ${kind} with sequence ${sequence} came after ${job.sequence}`)
      job.sequence = sequence
      job.firstSequence ||= sequence
      job.sequences.add(sequence)
    })
  }

  function hearChange({ id, cursor }: Change): void {
    const position = Number(Buffer.from(id, 'base64url').toString().split(':')[1])
    if (position !== changes.position + 1) problems.push(`change ${position} came after change ${changes.position}`)
    changes = { position, cursor }
  }

  /** The first one is read: only from its cursor on is nothing lost. Then they are followed without end. */
  async function readChanges(): Promise<void> {
    if (changes.cursor === null) {
      const { prospectChanges } = await api.ask<{ prospectChanges: { nodes: Change[] } }>(firstChangeQuery)
      const [first] = prospectChanges.nodes
      if (!first) throw new Error('nothing has changed yet')
      hearChange(first)
    }
    await stream(changesQuery, { after: changes.cursor }, (data) => hearChange(data.prospectChanges))
  }

  return {
    watch(jobId) {
      const job: WatchedJob = { jobId, lastLine: 0, sequence: 0, firstSequence: 0, sequences: new Set() }
      watched.push(job)
      for (const read of [readLog, readStatus])
        following.push(
          follow(
            async () => await read(job),
            () => ending,
          ),
        )
    },
    watchChanges() {
      following.push(follow(readChanges, () => ending))
    },
    cut,
    async finish({ newestChange, deadline }) {
      ending = true
      cut()
      await Promise.all(following)
      const isLate = () => Date.now() > deadline
      // Ends what hangs when it is late, and the stream of changes, which has no end, when the newest has come.
      const timer = setInterval(() => {
        if (isLate() || changes.position >= newestChange) cut()
      }, pauseMs)
      await follow(readChanges, () => isLate() || changes.position >= newestChange)
      clearInterval(timer)
      const late = setTimeout(cut, Math.max(0, deadline - Date.now()))
      for (const job of watched) {
        for (const read of [readLog, readStatus]) {
          const isRead = await follow(async () => await read(job), isLate)
          if (!isRead) problems.push(`${job.jobId}: ${read.name} came to no end`)
        }
      }
      clearTimeout(late)
    },
    watched,
    get live() {
      return live
    },
    get changes() {
      return changes.position
    },
    get resumed() {
      return resumed
    },
    problems,
  }
}
