import { ConfigError } from '../config.ts'
import { countConnections } from '../db/connectionCount.ts'
import type { Database } from '../db/database.ts'
import { instanceSettings } from './queueSettings.ts'

/** What each worker process opens at most: its pool, and one connection whose locks are its turns at the sites. */
export const workerConnections = { pool: 3, politeness: 1 }

/** Size of the pool that the API's operations and exports have to themselves. */
export const apiConnections = 10

/** Size of a node's own pools together: each run's start and end takes one for a moment, and a few are for everything else. */
export function poolSize({ workers, api }: NodeShape): number {
  return workers + 4 + (api ? apiConnections : 0)
}

export interface NodeShape {
  workers: number
  /** Whether it serves the API, or watches jobs itself. */
  api: boolean
}

/**
 * The most connections that a node opens: its pool; the queue's, with one that listens where it takes jobs; one that
 * listens for closed executions where there are workers and one for the events of jobs where there is an API; and its
 * workers'. With the API and 4 workers: 18 + 5 + 2 + 16 = 41.
 */
export function connectionBudget(node: NodeShape): number {
  const takesJobs = node.workers > 0
  const queue = instanceSettings(takesJobs).max + (takesJobs ? 1 : 0)
  const listeners = (takesJobs ? 1 : 0) + (node.api ? 1 : 0)
  const ofWorkers = node.workers * (workerConnections.pool + workerConnections.politeness)
  return poolSize(node) + queue + listeners + ofWorkers
}

/**
 * Throws ConfigError when the server has fewer connections left than the node may open: better now than in the middle
 * of its jobs. To be called when the node has opened none yet but the one that asks.
 */
export async function checkConnections(db: Database, node: NodeShape): Promise<void> {
  const { max, reserved, inUse } = await countConnections(db)
  const left = max - reserved - inUse
  const needed = connectionBudget(node)
  if (needed <= left) return
  let fitting = node.workers
  while (fitting > 0 && connectionBudget({ ...node, workers: fitting }) > left) fitting -= 1
  const fits = connectionBudget({ ...node, workers: fitting }) <= left
  const mend =
    fits && fitting < node.workers ? `set it to ${fitting} or less, or raise max_connections` : 'raise max_connections'
  throw new ConfigError(
    `GAVEL_WORKERS ${node.workers} takes up to ${needed} connections, and Postgres has ${Math.max(0, left)} left ` +
      `(max_connections ${max}, ${reserved} reserved, ${inUse} in use): ${mend}`,
  )
}
