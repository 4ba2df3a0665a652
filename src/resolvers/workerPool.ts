import type { WorkerNodeRow } from '../db/tables.ts'
import { livingNodes, queueDepth } from '../db/workerPool.ts'
import type { Context } from './context.ts'

export interface WorkerPool {
  nodes: WorkerNodeRow[]
  pending: number
  running: number
  oldestPendingSeconds: number | null
}

export async function workerPool({ db, config }: Context): Promise<WorkerPool> {
  const [nodes, depth] = await Promise.all([livingNodes(db, config.staleAfterSeconds), queueDepth(db)])
  return { nodes, ...depth }
}
