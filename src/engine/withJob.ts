import { z } from 'zod'
import { lockJob } from '../db/changeJob.ts'
import type { Database, Tx } from '../db/database.ts'
import type { JobRow } from '../db/tables.ts'
import type { JobStatus } from '../domain.ts'
import type { ConflictReason, Outcome } from './outcome.ts'

/** Runs a command on a locked job, in one transaction; one that is not there, or has no UUID for an id, is not found. */
export async function withJob<T>(
  db: Database,
  id: string,
  command: (trx: Tx, job: JobRow) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  return await db.transaction().execute(async (trx): Promise<Outcome<T>> => {
    const job = z.uuid().safeParse(id).success ? await lockJob(trx, id) : null
    return job ? await command(trx, job) : noSuchJob(id)
  })
}

export function noSuchJob(id: string): Outcome<never> {
  return { kind: 'notFound', id, message: 'There is no such job.' }
}

/** The job stands in the way of what was asked for. */
export function conflict(reason: ConflictReason, message: string, job: JobRow): Outcome<never> {
  return { kind: 'conflict', reason, message, jobId: job.id }
}

/** A status in a sentence. */
export const statusWords: Record<JobStatus, string> = {
  PENDING: 'pending',
  RUNNING: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
}
