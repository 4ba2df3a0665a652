import type { Database } from '../db/database.ts'
import { errorMessages, readMovedSince } from '../db/jobMoves.ts'
import { defaultJobOrder, type JobFilter, jobPages } from '../db/jobPages.ts'
import type { Logger } from '../log.ts'
import { type JudgedUpdate, readMovedJobs } from './jobMoves.ts'
import { type JobUpdate, standing } from './jobUpdate.ts'
import { createWakeUp, type WakeUp } from './wakeUp.ts'

/** The changes of all jobs, for readers with filters. It reads nothing while there is no reader. */
export interface JobFeed {
  /**
   * Every change of a job that matches the filter before or after it, without end; with `snapshot` first the newest
   * jobs that match, at most 200. A slow reader misses intermediate progress, never the newest state of a job and
   * never a change of status.
   */
  watch(filter: JobFilter, snapshot: boolean, signal: AbortSignal): AsyncGenerator<JobUpdate, void, undefined>
  /** A job is said to stand at this sequence. */
  moved(jobId: string, sequence: number): void
  /** Looks for what nobody told of. */
  look(): Promise<void>
  waiters(): number
}

/** A snapshot tells so many jobs at most, read page by page. */
const snapshotJobs = 200
const snapshotPage = 20
/** Jobs that are read at once. */
const jobsAtOnce = 100
/** Changes are looked for so far back: longer than a transaction waits between the date of a change and its commit. */
const overlapSeconds = 30
/** Jobs that have been still for longer are forgotten, and the oldest ones beyond `keptJobs`. */
const keptMs = 2 * overlapSeconds * 1000
const keptJobs = 10_000
/** Updates of one job that are kept in memory; a reader that is further behind reads for itself. */
const keptUpdates = 64

/** Readers of one filter. */
interface Group {
  filter: JobFilter
  readers: Set<Reader>
  wakeUp: WakeUp
}

/**
 * What a reader has not been told yet: the jobs that have moved, each with the sequence it knows. One id and one
 * number for each job at most, however long it stalls; the updates themselves are kept once for all or read again.
 */
interface Reader {
  behind: Map<string, number>
}

/** What this node knows of a job that has moved lately. */
interface Known {
  sequence: number
  running: boolean
  deleted: boolean
  seenAt: number
  /** The updates after this sequence are here. */
  from: number
  updates: KeptUpdate[]
}

interface KeptUpdate {
  update: JobUpdate
  lasting: boolean
  /** Who hears of it, with the sequence of the change that concerned them: its own, or of one that it overtook. */
  told: ReadonlyMap<Group, number>
}

export function createJobFeed({ db, log }: { db: Database; log: Logger }): JobFeed {
  const groups = new Map<string, Group>()
  const known = new Map<string, Known>()
  /** Jobs that are said to have moved, with the sequence they had before. */
  const stale = new Map<string, number>()
  let reading = null as Promise<void> | null
  let opening = null as Promise<void> | null
  let lookedAt = null as Date | null

  function enter(filter: JobFilter, reader: Reader): Group {
    const key = JSON.stringify(filter)
    let group = groups.get(key)
    if (!group) {
      group = { filter, readers: new Set(), wakeUp: createWakeUp() }
      groups.set(key, group)
    }
    group.readers.add(reader)
    return group
  }

  /** Gets to know the jobs that are on the move, so that what they do from here on is told apart from what they did. */
  async function open(): Promise<void> {
    const { now, moved } = await readMovedSince(db, { secondsAgo: overlapSeconds }, true)
    lookedAt = now
    for (const { jobId, sequence, running, deleted } of moved) {
      // Read in the meantime, and newer than this.
      if (known.has(jobId)) continue
      known.set(jobId, { sequence, running, deleted, seenAt: Date.now(), from: sequence, updates: [] })
    }
  }

  function leave(group: Group, reader: Reader): void {
    group.readers.delete(reader)
    if (group.readers.size > 0) return
    for (const [key, one] of groups) if (one === group) groups.delete(key)
    if (groups.size > 0) return
    known.clear()
    stale.clear()
    opening = null
    lookedAt = null
  }

  function readSoon(): void {
    read().catch((error: unknown) => log.warn({ err: error }, 'changed jobs could not be read'))
  }

  /** Reads the jobs that have moved, one read at a time, for as long as there are any. */
  async function read(): Promise<void> {
    if (stale.size > 0) await (reading ??= readAll())
  }

  async function readAll(): Promise<void> {
    try {
      // What is heard before the jobs on the move are known may be older than the first reader.
      await opening
      while (stale.size > 0) await readSome()
    } finally {
      reading = null
    }
  }

  async function readSome(): Promise<void> {
    const some = [...stale].slice(0, jobsAtOnce)
    for (const [jobId] of some) stale.delete(jobId)
    const cursors = some.map(([jobId, before]) => ({ jobId, after: known.get(jobId)?.sequence ?? before }))
    const judging = [...groups.values()]
    try {
      const moved = await readMovedJobs(
        db,
        cursors,
        judging.map((group) => group.filter),
      )
      for (const job of moved) keep(job.jobId, job, judging)
    } catch (error) {
      for (const { jobId, after } of cursors) markStale(jobId, after)
      throw error
    }
  }

  function keep(
    jobId: string,
    job: { after: number; sequence: number; running: boolean; deleted: boolean; updates: JudgedUpdate[] },
    judging: readonly Group[],
  ): void {
    const last = known.get(jobId)
    if (last?.deleted || (last && !job.deleted && job.sequence <= last.sequence)) return
    const added = job.updates.map(({ told, ...one }): KeptUpdate => {
      return { ...one, told: new Map([...told].map((i) => [judging[i] as Group, one.update.sequence])) }
    })
    const { sequence, running, deleted } = job
    known.delete(jobId)
    known.set(jobId, { sequence, running, deleted, seenAt: Date.now(), ...joined(last, added, job.after) })
    for (const group of new Set(added.flatMap((one) => [...one.told.keys()]))) {
      for (const reader of group.readers) {
        if (!reader.behind.has(jobId)) reader.behind.set(jobId, job.after)
      }
      group.wakeUp.wake()
    }
  }

  function markStale(jobId: string, before: number): void {
    stale.set(jobId, Math.min(stale.get(jobId) ?? before, before))
  }

  /** The updates of a job after a sequence for a group: from memory, or where that does not reach back, read. */
  async function updatesFor(group: Group, jobId: string, after: number): Promise<JobUpdate[]> {
    const kept = known.get(jobId)
    if (kept && kept.from <= after) {
      return kept.updates.filter(({ told }) => (told.get(group) ?? 0) > after).map(({ update }) => update)
    }
    const [moved] = await readMovedJobs(db, [{ jobId, after }], [group.filter])
    return (moved?.updates ?? []).flatMap(({ update, told }) => (told.size > 0 ? [update] : []))
  }

  async function* snapshot(filter: JobFilter): AsyncGenerator<JobUpdate> {
    let after: string | null = null
    for (let told = 0; told < snapshotJobs; told += snapshotPage) {
      const [page] = await jobPages(db, [filter], defaultJobOrder, { first: snapshotPage, after })
      const jobs = page?.edges.map((edge) => edge.node) ?? []
      const messages = await errorMessages(
        db,
        jobs.map((job) => job.id),
      )
      for (const job of jobs) yield standing(job, messages.get(job.id) ?? null, 'SNAPSHOT')
      if (!page?.pageInfo.hasNextPage) return
      after = page.pageInfo.endCursor
    }
  }

  async function* watch(filter: JobFilter, withSnapshot: boolean, signal: AbortSignal) {
    const reader: Reader = { behind: new Map() }
    const group = enter(filter, reader)
    try {
      await begin()
      /** Jobs of which the reader has been told more than this node had read. */
      const told = new Map<string, number>()
      if (withSnapshot) {
        for await (const update of snapshot(filter)) {
          if (signal.aborted) return
          told.set(update.jobId, update.sequence)
          yield update
        }
      }
      while (!signal.aborted) {
        const [next] = reader.behind
        if (next) {
          const [jobId, before] = next
          const after = Math.max(before, told.get(jobId) ?? 0)
          reader.behind.delete(jobId)
          told.delete(jobId)
          const updates = await updatesFor(group, jobId, after)
          const last = updates.at(-1)?.sequence ?? after
          if (last > (known.get(jobId)?.sequence ?? 0)) told.set(jobId, last)
          for (const update of updates) {
            if (signal.aborted) return
            yield update
          }
        } else {
          await group.wakeUp.sleep(signal)
        }
      }
    } finally {
      leave(group, reader)
    }
  }

  /** Waits until changes are followed, and until a read under way, which does not know the new reader, is over. */
  async function begin(): Promise<void> {
    opening ??= open()
    try {
      await opening
    } catch (error) {
      opening = null
      throw error
    }
    await Promise.allSettled([reading])
  }

  return {
    watch,
    moved(jobId, sequence) {
      if (groups.size === 0) return
      const job = known.get(jobId)
      if (job && (job.deleted || job.sequence >= sequence)) return
      markStale(jobId, sequence - 1)
      readSoon()
    },
    async look() {
      if (groups.size === 0 || lookedAt === null) return
      const { now, moved } = await readMovedSince(
        db,
        { at: new Date(lookedAt.getTime() - overlapSeconds * 1000) },
        false,
      )
      if (groups.size === 0) return
      lookedAt = now
      for (const { jobId, sequence, before, deleted } of moved) {
        const job = known.get(jobId)
        if (job ? job.sequence < sequence || (deleted && !job.deleted) : true) markStale(jobId, job?.sequence ?? before)
      }
      forget()
      await read()
    },
    waiters: () => [...groups.values()].reduce((sum, group) => sum + group.wakeUp.waiters(), 0),
  }

  function forget(): void {
    for (const [jobId, job] of known) {
      const still = !job.running && job.seenAt < Date.now() - keptMs
      if (still || known.size > keptJobs) known.delete(jobId)
    }
  }
}

/** What is kept of a job once updates came: of those that do not last, the newest alone, for all whom they concern. */
function joined(last: Known | undefined, added: readonly KeptUpdate[], after: number): Pick<Known, 'from' | 'updates'> {
  const before = last?.updates ?? []
  const newest = added.at(-1)
  if (!newest) return { from: last?.from ?? after, updates: before }
  const overtaken = before.filter((one) => !one.lasting).flatMap((one) => [...one.told])
  const updates = before.filter((one) => one.lasting)
  updates.push(...added.slice(0, -1), { ...newest, told: new Map([...overtaken, ...newest.told]) })
  const dropped = updates.splice(0, updates.length - keptUpdates).at(-1)
  return { from: dropped?.update.sequence ?? last?.from ?? after, updates }
}
