import { randomUUID } from 'node:crypto'
import { fromKysely, type Job, PgBoss } from 'pg-boss'
import { z } from 'zod'
import type { Database, Tx } from '../db/database.ts'
import { disableQueueStatistics } from '../db/queueStatistics.ts'
import type { SitePlatform } from '../domain.ts'
import type { Logger } from '../log.ts'

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

/** Beyond the longest timeout of an attempt (82,800 s), which the pool enforces; the most that pg-boss allows. */
const expireInSeconds = 86_400

/** Who runs again is decided by retry.ts alone; pg-boss only gives back what a dead node held, for ever. */
const retryLimit = 1_000_000

/** Entries may wait for years: pg-boss deletes what waits longer. */
const retentionSeconds = 10 * 365 * 86_400

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
    schema: 'pgboss',
    max: worker ? 4 : 1,
    schedule: false,
    supervise: worker,
    useListenNotify: worker,
    // Together they bound how late a silent node is noticed: measured 6.6 to 8.7 s after its death.
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
    // A busy site's rows are refused by a unique index; its ERROR lines in the server's log are no fault.
    monitorVacuum: false,
  })
  // Without a listener an error event ends the process.
  boss.on('error', (error) => log.error({ err: error }, 'queue error'))
  boss.on('warning', (warning) => log.warn({ warning: warning.data }, warning.message))
  await boss.start()
  const settings = { retryLimit, retryDelay: 0, expireInSeconds, retentionSeconds, deleteAfterSeconds: 86_400 }
  const queueSettings = { ...settings, notify: true, heartbeatSeconds: staleAfterSeconds }
  await boss.createQueue(name, { policy: 'singleton', ...queueSettings })
  // Of an existing queue the settings may have changed.
  await boss.updateQueue(name, queueSettings)
  // Before the first pass of the supervisor, a second after the start.
  await disableQueueStatistics(options.db)

  const within = (trx: Tx) => ({ db: fromKysely(trx.withoutPlugins()) })

  return {
    async enqueue(trx, entry) {
      const site = `${entry.platform}:${entry.siteKey}`
      const sent = await boss.send(
        name,
        { jobId: entry.jobId, sameAttempt: entry.sameAttempt ?? false },
        {
          ...within(trx),
          id: entry.queueId,
          priority: entry.priority,
          // Both: the group keeps a busy site from filling the slots, the unique index behind the policy is what
          // really holds to one at a time (measured: groups alone let 167 of 600 overlap).
          singletonKey: site,
          group: { id: site },
          ...(entry.startAfter ? { startAfter: entry.startAfter } : {}),
        },
      )
      if (sent === null) throw new Error(`the queue did not take the entry ${entry.queueId}`)
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
        id = await boss.work(
          name,
          {
            groupConcurrency: 1,
            heartbeatRefreshSeconds: 2,
            pollingIntervalSeconds: 0.5,
            // Entries with a later start never notify: the poll bounds how exact a retry is.
            notifyPollingIntervalSeconds: 0.5,
          },
          async ([job]: Job[]) => {
            if (job) await handler(delivery(job))
            // Look again at once; after a fault the poll keeps the loop from spinning.
            if (id !== null) boss.notifyWorker(id)
          },
        )
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
