import { jobChannel } from '../db/changeJob.ts'
import type { Database } from '../db/database.ts'
import { readStandings } from '../db/jobs.ts'
import { type Listener, listen } from '../db/listen.ts'
import type { JobEventRow, JobRow, LogLineRow } from '../db/tables.ts'
import { type CalendarDate, isTerminal, type JobStatus } from '../domain.ts'
import type { Logger } from '../log.ts'
import { linesAfter, newTopic, pastEvents, readTopic, type Topic } from './jobTopic.ts'
import { endsOnReturn } from './wakeUp.ts'

/** A job as it stands, or stood at a change of its status. */
export interface JobUpdate {
  kind: 'SNAPSHOT' | 'CHANGED' | 'DELETED'
  jobId: string
  /** Grows from update to update of one job. */
  sequence: number
  at: Date
  status: JobStatus
  attempt: number
  nextAttemptAt: Date | null
  rowsProcessed: number
  rowsSuccess: number
  rowsFailed: number
  datesTotal: number
  datesDone: number
  currentDate: CalendarDate | null
  errorMessage: string | null
}

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
  /** How many readers are asleep, and how many jobs are watched: 0 and 0 when everybody has left. */
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
    for (const [jobId, topic] of topics) refreshSoon(jobId, topic)
  }

  async function poll(): Promise<void> {
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
    log,
    onConnect: refreshAll,
    onNotification(payload) {
      const [jobId = ''] = payload.split(':', 1)
      const topic = topics.get(jobId)
      if (topic) refreshSoon(jobId, topic)
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
    counts: () => ({
      waiters: [...topics.values()].reduce((sum, topic) => sum + topic.wakeUp.waiters(), 0),
      topics: topics.size,
    }),
    async stop() {
      stopping.abort()
      clearInterval(timer)
      await listener.stop()
    },
  }
}

function updateOf(event: JobEventRow, job: JobRow, kind: JobUpdate['kind']): JobUpdate {
  const { status, attempt, nextAttemptAt, rowsProcessed, rowsSuccess, rowsFailed, datesDone, currentDate } = event
  const progress = { rowsProcessed, rowsSuccess, rowsFailed, datesDone, currentDate, datesTotal: job.datesTotal }
  const { jobId, sequence, at, errorMessage } = event
  return { kind, jobId, sequence, at, status, attempt, nextAttemptAt, ...progress, errorMessage }
}

function standing(job: JobRow, errorMessage: string | null, kind: JobUpdate['kind']): JobUpdate {
  return updateOf({ ...job, jobId: job.id, at: job.updatedAt, errorMessage }, job, kind)
}
