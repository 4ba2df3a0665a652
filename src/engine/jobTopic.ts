import type { Database } from '../db/database.ts'
import { readJobEvents, readJobState } from '../db/jobs.ts'
import { readLogLines } from '../db/logLines.ts'
import type { JobEventRow, JobRow, LogLineRow } from '../db/tables.ts'
import { createWakeUp, type WakeUp } from './wakeUp.ts'

/** Lines and events are read so many at once; more lines than `keptLines` are not kept in memory. */
const batchSize = 500
const keptLines = 2_000

/** What this node knows of a job that somebody here watches: read once, handed to all. */
export interface Topic {
  readers: number
  /** As it was last read; null when there has never been one. */
  job: JobRow | null
  deleted: boolean
  errorMessage: string | null
  /** The changes of status since the first reader came. */
  events: JobEventRow[]
  /** The newest lines, for readers that keep up; others read for themselves. */
  lines: LogLineRow[]
  logReaders: number
  wakeUp: WakeUp
  /** The job is said to have moved since its last read began. */
  stale: boolean
  reading: Promise<void> | null
}

/** A topic that has not been read yet. */
export function newTopic(): Topic {
  return {
    readers: 0,
    job: null,
    deleted: false,
    errorMessage: null,
    events: [],
    lines: [],
    logReaders: 0,
    wakeUp: createWakeUp(),
    stale: false,
    reading: null,
  }
}

/** Reads the job first and its log after it: lines that come between are read, and none is missed. */
export async function readTopic(db: Database, jobId: string, topic: Topic): Promise<void> {
  const before = topic.job?.sequence
  const state = await readJobState(db, jobId)
  if (before !== undefined && state && state.job.sequence > before) {
    const known = topic.events.at(-1)?.sequence ?? before
    for await (const event of pastEvents(db, jobId, known)) topic.events.push(event)
  }
  const lastRead = topic.lines.at(-1)?.line
  if (topic.logReaders > 0 && lastRead !== undefined && state && state.job.lastLine > lastRead) {
    const lines = await readLogLines(db, jobId, lastRead, batchSize)
    topic.lines.push(...lines)
    topic.lines.splice(0, topic.lines.length - keptLines)
  }
  topic.deleted = topic.job !== null && state === null
  // A fresh object for every read: readers see by it that something may be new.
  topic.job = state?.job ?? (topic.job && { ...topic.job })
  topic.errorMessage = state?.errorMessage ?? null
}

/** The next lines for a reader: the ones in memory where they follow on its cursor, else its own read. */
export async function linesAfter(db: Database, jobId: string, topic: Topic, cursor: number): Promise<LogLineRow[]> {
  const oldest = topic.lines[0]
  if (oldest && oldest.line <= cursor + 1 && (topic.lines.at(-1)?.line ?? 0) > cursor) {
    const from = cursor + 1 - oldest.line
    return topic.lines.slice(from, from + batchSize)
  }
  if (topic.job && topic.job.lastLine <= cursor) return []
  const lines = await readLogLines(db, jobId, cursor, batchSize)
  // The reader that has come to the end lays the ground on which the next lines are read for all.
  if (topic.lines.length === 0 && lines.length < batchSize) topic.lines = [...lines]
  return lines
}

/** Every change of a job's status after a sequence, in order. */
export async function* pastEvents(db: Database, jobId: string, afterSequence: number): AsyncGenerator<JobEventRow> {
  let cursor = afterSequence
  while (true) {
    const events = await readJobEvents(db, jobId, cursor, batchSize)
    yield* events
    const last = events.at(-1)
    if (!last || events.length < batchSize) return
    cursor = last.sequence
  }
}
