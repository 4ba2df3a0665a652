import { sql } from 'kysely'
import type { Database, Tx } from './database.ts'
import type { JobBatchRow } from './tables.ts'

/** A batch with what its jobs, those that still exist, have come to. */
export interface JobBatch extends JobBatchRow {
  total: number
  pending: number
  running: number
  completed: number
  failed: number
  cancelled: number
  /** Rows that its jobs have saved. */
  rowsCollected: number
  /** Every job is terminal. */
  done: boolean
}

/** Stores a batch of these jobs. */
export async function insertBatch(
  trx: Tx,
  batch: { createdBy: string | null; idempotencyKey?: string | null; idempotencyHash?: string | null },
  jobIds: readonly string[],
): Promise<JobBatchRow> {
  const row = await trx.insertInto('jobBatches').values(batch).returningAll().executeTakeFirstOrThrow()
  await sql`
    insert into job_batch_members (batch_id, job_id)
    select ${row.id}, job_id from unnest(${jobIds}::uuid[]) as job_id`.execute(trx)
  return row
}

/** The batch made with this key in the last 7 days. An older one lets go of the key, so that it may be used again. */
export async function findBatchByKey(trx: Tx, userId: string | null, key: string): Promise<JobBatchRow | null> {
  await trx
    .updateTable('jobBatches')
    .set({ idempotencyKey: null })
    .where('createdBy', 'is not distinct from', userId)
    .where('idempotencyKey', '=', key)
    .where('createdAt', '<', sql<Date>`now() - interval '7 days'`)
    .execute()
  const row = await trx
    .selectFrom('jobBatches')
    .selectAll()
    .where('createdBy', 'is not distinct from', userId)
    .where('idempotencyKey', '=', key)
    .executeTakeFirst()
  return row ?? null
}

/** The batches as they stand, counted in one statement. */
export async function batchesById(db: Database | Tx, ids: readonly string[]): Promise<JobBatch[]> {
  const { rows } = await sql<JobBatch>`
    select b.*,
      count(j.id) as total,
      count(*) filter (where j.status = 'PENDING') as pending,
      count(*) filter (where j.status = 'RUNNING') as running,
      count(*) filter (where j.status = 'COMPLETED') as completed,
      count(*) filter (where j.status = 'FAILED') as failed,
      count(*) filter (where j.status = 'CANCELLED') as cancelled,
      coalesce(sum(j.rows_success), 0) as rows_collected,
      count(*) filter (where j.status in ('PENDING', 'RUNNING')) = 0 as done
    from job_batches b
      left join job_batch_members m on m.batch_id = b.id
      left join jobs j on j.id = m.job_id
    where b.id = any(${ids}::uuid[])
    group by b.id`.execute(db)
  return rows
}

/** Which batches the jobs are in, newest first. */
export async function batchesOfJobs(
  db: Database,
  jobIds: readonly string[],
): Promise<{ jobId: string; batchId: string }[]> {
  return await db
    .selectFrom('jobBatchMembers as m')
    .innerJoin('jobBatches as b', 'b.id', 'm.batchId')
    .select(['m.jobId', 'm.batchId'])
    .where('m.jobId', '=', sql<string>`any(${sql.val(jobIds)})`)
    .orderBy('b.createdAt', 'desc')
    .orderBy('b.id', 'desc')
    .execute()
}

/** The jobs of a batch. A batch gets none after it was made; deleted ones leave it. */
export async function membersOfBatch(db: Database, batchId: string): Promise<string[]> {
  const rows = await db.selectFrom('jobBatchMembers').select('jobId').where('batchId', '=', batchId).execute()
  return rows.map((row) => row.jobId)
}
