import { batchesById, type JobBatch, membersOfBatch } from '../db/batches.ts'
import type { Database } from '../db/database.ts'
import type { Logger } from '../log.ts'
import { createWakeUp, type WakeUp } from './wakeUp.ts'

/** Batches that are watched on this node, woken by what it hears of jobs. */
export interface BatchEvents {
  /**
   * The batch as it stands, then whenever it has changed, at most four times a second; ends after the state in which
   * it is done. A slow reader misses states in between, never the newest. A batch that does not exist ends at once.
   */
  watch(batchId: string, signal: AbortSignal): AsyncGenerator<JobBatch, void, undefined>
  /** A job has changed; null: any may have. */
  moved(jobId: string | null): void
  counts(): { waiters: number; topics: number }
}

/** What this node knows of a watched batch: read once for all its readers. */
interface BatchTopic {
  readers: number
  /** A fresh object for every change; null before the first read, or when there is no such batch. */
  batch: JobBatch | null
  /** A batch gets no further jobs once it is made. */
  members: ReadonlySet<string>
  wakeUp: WakeUp
  /** Jobs of it have moved since its last read began. */
  stale: boolean
  reading: Promise<void> | null
  /** Running while a read is put off, for further changes to be told together with the first. */
  timer: NodeJS.Timeout | null
}

const coalesceMs = 250

export function createBatchEvents({ db, log }: { db: Database; log: Logger }): BatchEvents {
  const topics = new Map<string, BatchTopic>()

  /** Reads the batch, one read at a time, for as long as it is said to have moved. */
  function refresh(batchId: string, topic: BatchTopic): Promise<void> {
    topic.stale = true
    topic.reading ??= (async () => {
      try {
        while (topic.stale) {
          topic.stale = false
          const [batch] = await batchesById(db, [batchId])
          if (batch && topic.batch && figuresOf(batch) === figuresOf(topic.batch)) continue
          topic.batch = batch ?? null
          topic.wakeUp.wake()
        }
      } finally {
        topic.reading = null
      }
    })()
    return topic.reading
  }

  function refreshSoon(batchId: string, topic: BatchTopic): void {
    topic.timer ??= setTimeout(() => {
      topic.timer = null
      // What fails is tried again at the next poll, which says that any job may have moved.
      refresh(batchId, topic).catch((error: unknown) => {
        log.warn({ err: error, batchId }, 'a watched batch could not be read')
      })
    }, coalesceMs)
  }

  async function enter(batchId: string): Promise<BatchTopic> {
    let topic = topics.get(batchId)
    if (!topic) {
      topic = {
        readers: 0,
        batch: null,
        members: new Set(),
        wakeUp: createWakeUp(),
        stale: false,
        reading: null,
        timer: null,
      }
      topics.set(batchId, topic)
    }
    topic.readers += 1
    try {
      // Members first: whatever moves after this is heard, and the read shows whatever moved before.
      if (topic.members.size === 0) topic.members = new Set(await membersOfBatch(db, batchId))
      await refresh(batchId, topic)
    } catch (error) {
      leave(batchId, topic)
      throw error
    }
    return topic
  }

  function leave(batchId: string, topic: BatchTopic): void {
    topic.readers -= 1
    if (topic.readers > 0) return
    topics.delete(batchId)
    if (topic.timer) clearTimeout(topic.timer)
  }

  return {
    async *watch(batchId, signal) {
      const topic = await enter(batchId)
      try {
        let told: JobBatch | null = null
        while (!signal.aborted) {
          const { batch } = topic
          if (!batch) return
          if (batch === told) {
            await topic.wakeUp.sleep(signal)
          } else {
            told = batch
            yield batch
            if (batch.done) return
          }
        }
      } finally {
        leave(batchId, topic)
      }
    },

    moved(jobId) {
      for (const [batchId, topic] of topics) {
        if (jobId === null || topic.members.has(jobId)) refreshSoon(batchId, topic)
      }
    },

    counts: () => ({
      waiters: [...topics.values()].reduce((sum, topic) => sum + topic.wakeUp.waiters(), 0),
      topics: topics.size,
    }),
  }
}

/** All that can change of a batch. */
function figuresOf(batch: JobBatch): string {
  const { total, pending, running, completed, failed, cancelled, rowsCollected } = batch
  return [total, pending, running, completed, failed, cancelled, rowsCollected].join()
}
