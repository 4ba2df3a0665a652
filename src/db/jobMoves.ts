import { type RawBuilder, sql } from 'kysely'
import type { JobStatus } from '../domain.ts'
import type { Database } from './database.ts'
import { type JobFilter, jobConditions } from './jobPages.ts'
import type { JobEditRow, JobEventRow, JobRow } from './tables.ts'

/** How far somebody knows a job. */
export interface JobCursor {
  jobId: string
  after: number
}

/** A job with what has become of it after a sequence. */
export interface JobMoves extends JobCursor {
  /** As it stands, or as it was when it was deleted. */
  job: JobRow
  deleted: boolean
  /** The message of the event that gave it its present status. */
  errorMessage: string | null
  /** The changes of its status, in order; before them the last one that is known, where there is one. */
  events: JobEventRow[]
  /** What its hold and its name were before they changed, in order. */
  edits: JobEditRow[]
}

/** A job as it was at one moment: what of it may change and a filter may ask for. */
export interface JobState {
  jobId: string
  deleted: boolean
  status: JobStatus
  held: boolean
  name: string
  updatedAt: Date
}

/** The jobs as they stand; then what has become of each, up to that or later. Those that never were are left out. */
export async function readJobMoves(db: Database, cursors: readonly JobCursor[]): Promise<JobMoves[]> {
  const ids = cursors.map((one) => one.jobId)
  const [standing, deleted] = [await readJobs(db, ids), await readDeleted(db, ids)]
  const events = Map.groupBy(await readEvents(db, cursors), (row) => row.jobId)
  const edits = Map.groupBy(await readEdits(db, cursors), (row) => row.jobId)
  return cursors.flatMap(({ jobId, after }): JobMoves[] => {
    const known = standing.get(jobId)
    const job = known?.job ?? deleted.get(jobId)
    if (!job) return []
    const upTo = (row: { sequence: number }): boolean => row.sequence <= job.sequence
    return [
      {
        jobId,
        after,
        job,
        deleted: known === undefined,
        errorMessage: known?.errorMessage ?? null,
        events: (events.get(jobId) ?? []).filter(upTo),
        edits: (edits.get(jobId) ?? []).filter(upTo),
      },
    ]
  })
}

/** For each filter, which of the states match it. Errors and batches of a job are as they are now: they only grow. */
export async function matchingStates(
  db: Database,
  states: readonly JobState[],
  filters: readonly JobFilter[],
): Promise<Set<number>[]> {
  const found = filters.map(() => new Set<number>())
  for (const deleted of [false, true]) {
    const some = states.flatMap((state, n) => (state.deleted === deleted ? [{ n, ...state }] : []))
    if (some.length === 0) continue
    for (let at = 0; at < filters.length; at += filtersAtOnce) {
      const judged = filters.slice(at, at + filtersAtOnce).map((filter, i) => {
        const conditions = [sql`true`, ...jobConditions(filter)]
        return sql`select ${sql.lit(at + i)}::integer as filter, jobs.n from judged jobs
          where ${sql.join(conditions, sql` and `)}`
      })
      const { rows } = await sql<{ filter: number; n: number }>`
        with ${deleted ? deletedStates(some) : standingStates(some)} ${sql.join(judged, sql` union all `)}`.execute(db)
      for (const { filter, n } of rows) found[filter]?.add(n)
    }
  }
  return found
}

/** The messages of the events that gave these jobs their present status. */
export async function errorMessages(db: Database, jobIds: readonly string[]): Promise<Map<string, string | null>> {
  const jobs = await readJobs(db, jobIds)
  return new Map([...jobs].map(([id, { errorMessage }]) => [id, errorMessage]))
}

/** Where a job stood when it was looked for. */
export interface Standing {
  jobId: string
  sequence: number
  /** The sequence it is known to have had before `since`. */
  before: number
  running: boolean
  deleted: boolean
}

/**
 * The jobs that have changed or were deleted at `since` or later, and with `running` those that run; with the
 * database's time. A change is dated before its transaction ends: leave an overlap.
 */
export async function readMovedSince(
  db: Database,
  since: { at: Date } | { secondsAgo: number },
  running: boolean,
): Promise<{ now: Date; moved: Standing[] }> {
  const at = 'at' in since ? sql`${since.at}::timestamptz` : sql`now() - make_interval(secs => ${since.secondsAgo})`
  const { rows } = await sql<{ now: Date; moved: Standing[] | null }>`
    select now()::timestamptz(3) as now, (
      select jsonb_agg(jsonb_build_object('jobId', m.id, 'sequence', m.sequence, 'before', m.before,
        'running', m.running, 'deleted', m.deleted))
      from (
        select j.id, j.sequence, j.status = 'RUNNING' as running, false as deleted, coalesce((
          select max(e.sequence) from job_events e where e.job_id = j.id and e.at < ${at}), 0) as before
        from jobs j where j.updated_at >= ${at} ${running ? sql`or j.status = 'RUNNING'` : sql``}
        union all
        select d.job_id, (d.job ->> 'sequence')::integer, false, true, (d.job ->> 'sequence')::integer
        from deleted_jobs d where d.at >= ${at}
      ) m
    ) as moved`.execute(db)
  const [row] = rows
  if (!row) throw new Error('the database told no time')
  return { now: row.now, moved: row.moved ?? [] }
}

/** One statement judges so many filters. */
const filtersAtOnce = 100

type NumberedState = JobState & { n: number }

/** The states as rows of `jobs`: what does not change of a job is as it stands. */
function standingStates(states: readonly NumberedState[]): RawBuilder<unknown> {
  const given = states.map(({ n, jobId, status, held, name, updatedAt }) => ({
    n,
    jobId,
    state: { status, held, name, updated_at: updatedAt },
  }))
  return sql`judged as materialized (
    select s.n, p.* from jsonb_to_recordset(${JSON.stringify(given)}::jsonb) as s (n integer, "jobId" uuid, state jsonb)
      join jobs j on j.id = s."jobId" cross join lateral jsonb_populate_record(j, s.state) p)`
}

/** The same of deleted jobs. Their errors and memberships went with them: filters that ask for those see what was kept. */
function deletedStates(states: readonly NumberedState[]): RawBuilder<unknown> {
  const given = JSON.stringify(states.map(({ n, jobId }) => ({ n, jobId })))
  return sql`deleted as materialized (
    select s.n, d.* from jsonb_to_recordset(${given}::jsonb) as s (n integer, "jobId" uuid)
      join deleted_jobs d on d.job_id = s."jobId"),
  judged as materialized (select d.n, p.* from deleted d cross join lateral jsonb_populate_record(null::jobs, d.job) p),
  job_errors as (select d.job_id, c.code from deleted d cross join lateral unnest(d.error_codes) as c (code)),
  job_batch_members as (
    select d.job_id, b.batch_id from deleted d cross join lateral unnest(d.batch_ids) as b (batch_id))`
}

async function readJobs(db: Database, ids: readonly string[]) {
  const rows = await db
    .selectFrom('jobs')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('jobEvents')
        .select('jobEvents.errorMessage')
        .whereRef('jobEvents.jobId', '=', 'jobs.id')
        .orderBy('jobEvents.sequence', 'desc')
        .limit(1)
        .as('eventMessage'),
    )
    .where('id', '=', sql<string>`any(${sql.val(ids)})`)
    .execute()
  return new Map(rows.map(({ eventMessage, ...job }) => [job.id, { job, errorMessage: eventMessage }]))
}

async function readDeleted(db: Database, ids: readonly string[]): Promise<Map<string, JobRow>> {
  const { rows } = await sql<JobRow>`
    select p.* from deleted_jobs d cross join lateral jsonb_populate_record(null::jobs, d.job) p
    where d.job_id = any(${ids}::uuid[])`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}

async function readEvents(db: Database, cursors: readonly JobCursor[]): Promise<JobEventRow[]> {
  const { rows } = await sql<JobEventRow>`
    select e.* from ${cursorTable(cursors)} cross join lateral (
      (select * from job_events k where k.job_id = c.job_id and k.sequence <= c.after order by k.sequence desc limit 1)
      union all
      (select * from job_events n where n.job_id = c.job_id and n.sequence > c.after)
    ) e order by e.job_id, e.sequence`.execute(db)
  return rows
}

async function readEdits(db: Database, cursors: readonly JobCursor[]): Promise<JobEditRow[]> {
  const { rows } = await sql<JobEditRow>`
    select e.* from ${cursorTable(cursors)} join job_edits e on e.job_id = c.job_id and e.sequence > c.after
    order by e.job_id, e.sequence`.execute(db)
  return rows
}

function cursorTable(cursors: readonly JobCursor[]): RawBuilder<unknown> {
  const ids = cursors.map((one) => one.jobId)
  return sql`unnest(${ids}::uuid[], ${cursors.map((one) => one.after)}::integer[]) as c (job_id, after)`
}
