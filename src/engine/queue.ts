import { randomUUID } from 'node:crypto'
import { fromKysely, type Job, type JobInsert, PgBoss } from 'pg-boss'
import { z } from 'zod'
import type { Database, Tx } from '../db/database.ts'
import { disableQueueStatistics } from '../db/queueStatistics.ts'
import type { SitePlatform } from '../domain.ts'
import type { Logger } from '../log.ts'
import { instanceSettings, policy, queueSettings, slotSettings } from './queueSettings.ts'

/** A run that waits for its turn: which job, on which site (jobs of one site wait for each other). */
export interface QueueEntry {
  /** A fresh UUID for every enqueue (newQueueId), kept in jobs.queue_id. */
  queueId: string
  jobId: string
  platform: SitePlatform
  siteKey: string
  /** Higher runs first. */
  priority: number
  /** Not before this instant; at once unless told. */
  startAfter?: Date
  /** The execution does not raise the job's attempt: the one before it ended with a long Retry-After. */
  sameAttempt?: boolean
}

/** A queue entry in the hands of this node. `signal` aborts when the claim on it is lost or the queue stops. */
export interface Delivery {
  queueId: string
  jobId: string
  sameAttempt: boolean
  signal: AbortSignal
}

/**
 * Who may run what and when. The job row is the truth that users see; every call with a transaction changes the
 * queue together with that row.
 */
export interface Queue {
  /** Adds an entry. Throws, and so rolls the transaction back, when the queue does not take it. */
  enqueue(trx: Tx, entry: QueueEntry): Promise<void>
  /** The same for many, in one statement. */
  enqueueMany(trx: Tx, entries: readonly QueueEntry[]): Promise<void>
  /** Gives a waiting entry another priority; it keeps its place among its equals. One that runs or is gone stays. */
  changePriority(trx: Tx, queueId: string, priority: number): Promise<void>
  /** Takes an entry out, waiting or running. An entry that is gone is no error. */
  cancel(trx: Tx, queueId: string): Promise<void>
  /** Ends an entry that was delivered: its run is over, whatever came of it. */
  settle(trx: Tx, queueId: string): Promise<void>
  /**
   * Takes entries, `slots` at a time, and gives each to `handler` until `stopTaking`. A handler that throws gives its
   * entry back.
   */
  work(slots: number, handler: (delivery: Delivery) => Promise<void>): Promise<void>
  /** No further entries are taken; handlers under way go on. */
  stopTaking(): Promise<void>
  /** Ends everything; entries still in a handler's hands go back at once. */
  stop(): Promise<void>
}

export const newQueueId = (): string => randomUUID()

const name = 'scrape'

const payload = z.object({ jobId: z.uuid(), sameAttempt: z.boolean() })

/**
 * Opens the queue in schema `pgboss` of the database, and installs it there when it is not. Without `worker` it only
 * sends and settles, in the callers' transactions; with it, it also takes entries and gives back those whose node has
 * been silent for `staleAfterSeconds`.
 */
export async function openQueue(options: {
  db: Database
  databaseUrl: string
  staleAfterSeconds: number
  worker: boolean
  log: Logger
}): Promise<Queue> {
  const { log, worker, staleAfterSeconds } = options
  const boss = new PgBoss({
    connectionString: options.databaseUrl,
    application_name: 'gavel queue',
    ...instanceSettings(worker),
  })
  // Without a listener an error event ends the process.
  boss.on('error', (error) => log.error({ err: error }, 'queue error'))
  boss.on('warning', (warning) => log.warn({ warning: warning.data }, warning.message))
  await boss.start()
  const settings = queueSettings(staleAfterSeconds)
  await boss.createQueue(name, { policy, ...settings })
  // Of an existing queue the settings may have changed.
  await boss.updateQueue(name, settings)
  // Before the first pass of the supervisor, a second after the start.
  await disableQueueStatistics(options.db)

  const within = (trx: Tx) => ({ db: fromKysely(trx.withoutPlugins()) })

  return {
    async enqueue(trx, entry) {
      const { data, ...options } = toInsert(entry)
      const sent = await boss.send(name, data, { ...within(trx), ...options })
      if (sent === null) throw new Error(`the queue did not take the entry ${entry.queueId}`)
    },

    async enqueueMany(trx, entries) {
      if (entries.length === 0) return
      const sent = await boss.insert(name, entries.map(toInsert), { ...within(trx), returnId: true })
      if (sent?.length !== entries.length) {
        throw new Error(`the queue took ${sent?.length ?? 0} of ${entries.length} entries`)
      }
    },

    async changePriority(trx, queueId, priority) {
      await boss.update(name, undefined, { ...within(trx), id: queueId, priority })
    },

    async cancel(trx, queueId) {
      await boss.cancel(name, queueId, within(trx))
    },

    async settle(trx, queueId) {
      // By id and in any state: whether this run may end is the fence's word, not that of the claim.
      await boss.complete(name, queueId, null, { ...within(trx), includeQueued: true })
    },

    async work(slots, handler) {
      for (let slot = 0; slot < slots; slot += 1) {
        let id: string | null = null
        id = await boss.work(name, slotSettings, async ([job]: Job[]) => {
          if (job) await handler(delivery(job))
          // Look again at once; after a fault the poll keeps the loop from spinning.
          if (id !== null) boss.notifyWorker(id)
        })
      }
    },

    async stopTaking() {
      await boss.offWork(name, { wait: false })
    },

    async stop() {
      await boss.stop({ graceful: false, close: true })
    },
  }
}

function delivery(job: Job): Delivery {
  const data = payload.parse(job.data)
  return { queueId: job.id, jobId: data.jobId, sameAttempt: data.sameAttempt, signal: job.signal }
}

function toInsert(entry: QueueEntry): JobInsert {
  const site = `${entry.platform}:${entry.siteKey}`
  return {
    id: entry.queueId,
    data: { jobId: entry.jobId, sameAttempt: entry.sameAttempt ?? false },
    priority: entry.priority,
    // Both: the group keeps a busy site from filling the slots, the unique index behind the policy is what
    // really holds to one at a time (measured: groups alone let 167 of 600 overlap).
    singletonKey: site,
    group: { id: site },
    ...(entry.startAfter ? { startAfter: entry.startAfter } : {}),
  }
}
