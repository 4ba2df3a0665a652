import type { JobBatch } from '../db/batches.ts'
import { jobChannel } from '../db/changeJob.ts'
import type { Database } from '../db/database.ts'
import type { JobFilter } from '../db/jobPages.ts'
import { readStandings } from '../db/jobs.ts'
import { type Listener, listen } from '../db/listen.ts'
import type { ProspectChangeFilter } from '../db/prospectChanges.ts'
import { prospectChannel } from '../db/prospects/recordChanges.ts'
import type { LogLineRow, ProspectChangeRow } from '../db/tables.ts'
import { isTerminal } from '../domain.ts'
import type { Logger } from '../log.ts'
import { createBatchEvents } from './batchEvents.ts'
import { createJobFeed } from './jobFeed.ts'
import { linesAfter, newTopic, pastEvents, readTopic, type Topic } from './jobTopic.ts'
import { type JobUpdate, standing, updateOf } from './jobUpdate.ts'
import { createProspectFeed } from './prospectFeed.ts'
import { endsOnReturn } from './wakeUp.ts'

export type { JobUpdate } from './jobUpdate.ts'

export interface LogBatch {
  lines: LogLineRow[]
  /** Where to resume. */
  lastLine: number
}

export interface Events {
  /**
   * The changes of status after `afterSequence`, then (or else) the job as it stands, then every change; ends after
   * the update in which the job is terminal, or deleted. A slow reader misses intermediate progress, never the newest
   * state and never a change of status. A job that does not exist ends at once.
   */
  watchJob(
    jobId: string,
    options: { afterSequence?: number | undefined; signal: AbortSignal },
  ): AsyncGenerator<JobUpdate, void, undefined>
  /** Every line after the given one, none lost and none twice; ends after the last line of a terminal job. */
  watchLog(
    jobId: string,
    options: { afterLine: number; signal: AbortSignal },
  ): AsyncGenerator<LogBatch, void, undefined>
  /** As BatchEvents.watch has it. */
  watchBatch(batchId: string, options: { signal: AbortSignal }): AsyncGenerator<JobBatch, void, undefined>
  /** As JobFeed.watch has it. */
  watchJobs(
    filter: JobFilter,
    options: { snapshot: boolean; signal: AbortSignal },
  ): AsyncGenerator<JobUpdate, void, undefined>
  /** As ProspectFeed.watch has it. */
  watchProspects(
    filter: ProspectChangeFilter,
    options: { after: number | null; signal: AbortSignal },
  ): AsyncGenerator<ProspectChangeRow, void, undefined>
  /** How many readers are asleep, and how many jobs and batches are watched: 0 and 0 when everybody has left. */
  counts(): { waiters: number; topics: number }
  stop(): Promise<void>
}

const pollMs = 5_000

/**
 * Live updates as a log plus a cursor: a reader is one integer and a sleeping promise, and reads what is new after
 * its cursor when it is woken. No reader has a queue, so a slow one holds no memory. NOTIFY is only the wake-up: a
 * lost one costs at most the 5 s until the next poll.
 */
export async function createEvents(options: { databaseUrl: string; db: Database; log: Logger }): Promise<Events> {
  const { db, log } = options
  const topics = new Map<string, Topic>()
  const batches = createBatchEvents({ db, log })
  const jobs = createJobFeed({ db, log })
  const prospects = createProspectFeed({ db, log })
  const stopping = new AbortController()

  /** Reads what is new of a job, one read at a time, for as long as it is said to have moved. */
  function refresh(jobId: string, topic: Topic): Promise<void> {
    topic.stale = true
    topic.reading ??= (async () => {
      try {
        while (topic.stale) {
          topic.stale = false
          await readTopic(db, jobId, topic)
          topic.wakeUp.wake()
        }
      } finally {
        topic.reading = null
      }
    })()
    return topic.reading
  }

  /** The same, for nobody to wait for: what fails is tried again by the poll. */
  function refreshSoon(jobId: string, topic: Topic): void {
    refresh(jobId, topic).catch((error: unknown) => log.warn({ err: error, jobId }, 'a watched job could not be read'))
  }

  function refreshAll(): void {
    batches.moved(null)
    lookSoon()
    for (const [jobId, topic] of topics) refreshSoon(jobId, topic)
  }

  /** For what may have changed while nobody listened. */
  function lookSoon(): void {
    Promise.all([jobs.look(), prospects.look()]).catch((error: unknown) => {
      log.warn({ err: error }, 'changes of jobs and prospects could not be looked for')
    })
  }

  async function poll(): Promise<void> {
    batches.moved(null)
    lookSoon()
    if (topics.size === 0) return
    const standings = new Map((await readStandings(db, [...topics.keys()])).map((row) => [row.id, row]))
    for (const [jobId, topic] of topics) {
      const row = standings.get(jobId)
      if (row?.sequence !== topic.job?.sequence || row?.lastLine !== topic.job?.lastLine) refreshSoon(jobId, topic)
    }
  }

  async function enter(jobId: string): Promise<Topic> {
    let topic = topics.get(jobId)
    if (!topic) {
      topic = newTopic()
      topics.set(jobId, topic)
    }
    topic.readers += 1
    try {
      // Also for a topic that is known: a reader may come with a sequence that has not been heard of here yet.
      await refresh(jobId, topic)
    } catch (error) {
      leave(jobId, topic)
      throw error
    }
    return topic
  }

  function leave(jobId: string, topic: Topic): void {
    topic.readers -= 1
    if (topic.readers === 0) topics.delete(jobId)
  }

  async function* watchJob(jobId: string, afterSequence: number | undefined, signal: AbortSignal) {
    const topic = await enter(jobId)
    try {
      let cursor = -1
      let first = true
      if (afterSequence !== undefined && topic.job) {
        cursor = afterSequence
        for await (const event of pastEvents(db, jobId, afterSequence)) {
          if (signal.aborted) return
          cursor = event.sequence
          first = false
          yield updateOf(event, topic.job, 'CHANGED')
        }
      }
      while (!signal.aborted) {
        const { job } = topic
        if (!job) return
        if (topic.deleted) {
          if (!first) yield { ...standing(job, null, 'DELETED'), sequence: Math.max(cursor, job.sequence) + 1 }
          return
        }
        const event = first ? undefined : topic.events.find((one) => one.sequence > cursor)
        if (event) {
          cursor = event.sequence
          yield updateOf(event, job, 'CHANGED')
          // Also where the job has been run again since: whoever watched this run has seen its end.
          if (isTerminal(event.status)) return
        } else if (first || job.sequence > cursor) {
          const kind = first ? 'SNAPSHOT' : 'CHANGED'
          first = false
          cursor = job.sequence
          yield standing(job, topic.errorMessage, kind)
        } else if (isTerminal(job.status)) {
          return
        } else {
          await topic.wakeUp.sleep(signal)
        }
      }
    } finally {
      leave(jobId, topic)
    }
  }

  async function* watchLog(jobId: string, afterLine: number, signal: AbortSignal) {
    const topic = await enter(jobId)
    topic.logReaders += 1
    try {
      let cursor = afterLine
      while (!signal.aborted) {
        const { job } = topic
        const lines = await linesAfter(db, jobId, topic, cursor)
        const last = lines.at(-1)
        if (last) {
          cursor = last.line
          yield { lines, lastLine: cursor }
        } else if (!job || topic.deleted || (isTerminal(job.status) && cursor >= job.lastLine)) {
          return
        } else if (topic.job === job) {
          await topic.wakeUp.sleep(signal)
        }
      }
    } finally {
      topic.logReaders -= 1
      leave(jobId, topic)
    }
  }

  const listener: Listener = await listen({
    databaseUrl: options.databaseUrl,
    channel: jobChannel,
    alsoOn: [prospectChannel],
    log,
    onConnect: refreshAll,
    onNotification(payload, channel) {
      if (channel === prospectChannel) {
        prospects.moved()
        return
      }
      const [jobId = '', sequence] = payload.split(':')
      jobs.moved(jobId, Number(sequence))
      const topic = topics.get(jobId)
      if (topic) refreshSoon(jobId, topic)
      batches.moved(jobId)
    },
  })
  const timer = setInterval(() => {
    poll().catch((error: unknown) => log.warn({ err: error }, 'the watched jobs could not be polled'))
  }, pollMs)

  return {
    watchJob: (jobId, { afterSequence, signal }) =>
      endsOnReturn([signal, stopping.signal], (ends) => watchJob(jobId, afterSequence, ends)),
    watchLog: (jobId, { afterLine, signal }) =>
      endsOnReturn([signal, stopping.signal], (ends) => watchLog(jobId, afterLine, ends)),
    watchBatch: (batchId, { signal }) =>
      endsOnReturn([signal, stopping.signal], (ends) => batches.watch(batchId, ends)),
    watchJobs: (filter, { snapshot, signal }) =>
      endsOnReturn([signal, stopping.signal], (ends) => jobs.watch(filter, snapshot, ends)),
    watchProspects: (filter, { after, signal }) =>
      endsOnReturn([signal, stopping.signal], (ends) => prospects.watch(filter, after, ends)),
    counts() {
      const ofBatches = batches.counts()
      return {
        waiters: [...topics.values()].reduce(
          (sum, topic) => sum + topic.wakeUp.waiters(),
          ofBatches.waiters + jobs.waiters() + prospects.waiters(),
        ),
        topics: topics.size + ofBatches.topics,
      }
    },
    async stop() {
      stopping.abort()
      clearInterval(timer)
      await listener.stop()
    },
  }
}
