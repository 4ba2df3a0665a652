import { type Insertable, sql, type Updateable } from 'kysely'
import type { Database, Tx } from './database.ts'
import type { JobRow, ScheduleRow, Tables } from './tables.ts'

/** Every schedule, oldest first. */
export async function allSchedules(db: Database): Promise<ScheduleRow[]> {
  return await db.selectFrom('schedules').selectAll().orderBy('createdAt').orderBy('id').execute()
}

export async function schedulesById(db: Database, ids: readonly string[]): Promise<ScheduleRow[]> {
  return await db
    .selectFrom('schedules')
    .selectAll()
    .where('id', '=', sql<string>`any(${sql.val(ids)})`)
    .execute()
}

/** Locks a schedule until the transaction ends: nobody fires it meanwhile. null when there is none. */
export async function lockSchedule(trx: Tx, id: string): Promise<ScheduleRow | null> {
  const row = await trx.selectFrom('schedules').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  return row ?? null
}

/** Locks the active schedules of a site whose pattern runs in the site's own zone. */
export async function lockSchedulesInSiteZone(trx: Tx, scrapeUrlId: string): Promise<ScheduleRow[]> {
  return await trx
    .selectFrom('schedules')
    .selectAll()
    .where('scrapeUrlId', '=', scrapeUrlId)
    .where('timezone', 'is', null)
    .where('active', '=', true)
    .forUpdate()
    .execute()
}

export async function insertSchedule(trx: Tx, values: Insertable<Tables['schedules']>): Promise<ScheduleRow> {
  return await trx.insertInto('schedules').values(values).returningAll().executeTakeFirstOrThrow()
}

/** Changes a schedule that is locked. */
export async function updateSchedule(
  trx: Tx,
  id: string,
  change: Updateable<Tables['schedules']>,
): Promise<ScheduleRow> {
  return await trx
    .updateTable('schedules')
    .set({ ...change, updatedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Deletes a schedule; its jobs stay. false when there is none. */
export async function deleteSchedule(db: Database, id: string): Promise<boolean> {
  const deleted = await db.deleteFrom('schedules').where('id', '=', id).returning('id').executeTakeFirst()
  return deleted !== undefined
}

/**
 * Claims the schedule that has been due for longest, for this transaction alone: one that another node has in hand is
 * passed over. null when none is due. `except` are left alone.
 */
export async function claimDueSchedule(trx: Tx, except: readonly string[]): Promise<ScheduleRow | null> {
  const row = await trx
    .selectFrom('schedules')
    .selectAll()
    .where('nextRunAt', '<=', sql<Date>`now()`)
    .where('id', '!=', sql<string>`all(${sql.val(except)}::uuid[])`)
    .orderBy('nextRunAt')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
  return row ?? null
}

/** Milliseconds until the next schedule is due, by the database's clock; null when none is to come. */
export async function msUntilNextRun(db: Database): Promise<number | null> {
  const row = await db
    .selectFrom('schedules')
    .select(sql<number | null>`(extract(epoch from min(next_run_at) - clock_timestamp()) * 1000)::float8`.as('ms'))
    .where('nextRunAt', 'is not', null)
    .executeTakeFirstOrThrow()
  return row.ms
}

/** The newest job of each schedule that has made one. */
export async function lastJobsOfSchedules(
  db: Database | Tx,
  ids: readonly string[],
): Promise<(JobRow & { scheduleId: string })[]> {
  return await db
    .selectFrom('jobs')
    .selectAll()
    .distinctOn('scheduleId')
    .where('scheduleId', '=', sql<string>`any(${sql.val(ids)})`)
    .where('scheduleId', 'is not', null)
    .$narrowType<{ scheduleId: string }>()
    .orderBy('scheduleId')
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}
