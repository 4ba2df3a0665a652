import { type Kysely, sql } from 'kysely'

/**
 * Jobs with their executions, day reports, log lines, events and errors; worker nodes.
 *
 * A job row's `sequence` grows with every change that watchers may see, under the row's lock; `last_line` counts its
 * log lines the same way. Both are gapless and in commit order for that reason.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table jobs (
      id uuid primary key default gen_random_uuid(),
      name text not null check (name <> ''),
      county_fips text not null references counties (fips),
      scrape_url_id uuid not null references scrape_urls (id),
      start_date date not null,
      end_date date not null,
      status text not null default 'PENDING'
        check (status in ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
      held boolean not null default false,
      priority integer not null default 0 check (priority between -100 and 100),
      -- this job's own transport, set from a terminal; null: the scrape URL's
      transport text check (transport in ('AUTO', 'HTTP', 'BROWSER')),
      timeout_seconds integer not null check (timeout_seconds between 1 and 82800),
      attempt integer not null default 0 check (attempt >= 0),
      max_attempts integer not null default 4 check (max_attempts between 1 and 10),
      next_attempt_at timestamptz(3),
      -- the queue's entry for the run that waits or runs; a fresh one for every enqueue
      queue_id uuid unique,
      sequence integer not null default 1,
      last_line integer not null default 0,
      rows_processed integer not null default 0,
      rows_success integer not null default 0,
      rows_failed integer not null default 0,
      dates_total integer not null,
      dates_done integer not null default 0,
      "current_date" date,
      ended_by_error_id uuid,
      cloned_from_id uuid references jobs (id) on delete set null,
      -- which mutation and which key of its user; the hash tells the same input from another
      idempotency_key text,
      idempotency_hash text,
      created_by uuid references users (id),
      updated_by uuid references users (id),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      started_at timestamptz(3),
      finished_at timestamptz(3),
      duration_ms bigint,
      constraint jobs_dates check (end_date >= start_date and dates_total = end_date - start_date + 1
        and dates_total <= 366),
      constraint jobs_held check (not held or status = 'PENDING'),
      constraint jobs_waiting check (next_attempt_at is null or status = 'PENDING'),
      constraint jobs_finished check ((finished_at is not null) = (status in ('COMPLETED', 'FAILED', 'CANCELLED'))),
      constraint jobs_counts check (rows_success >= 0 and rows_failed >= 0 and rows_processed >= 0)
    )`.execute(db)
  await sql`create index jobs_created on jobs (created_at desc, id desc)`.execute(db)
  await sql`create index jobs_status on jobs (status, created_at desc, id desc)`.execute(db)
  await sql`create index jobs_county on jobs (county_fips, created_at desc, id desc)`.execute(db)
  await sql`create index jobs_scrape_url on jobs (scrape_url_id, created_at desc, id desc)`.execute(db)
  await sql`create unique index jobs_idempotency on jobs (created_by, idempotency_key)
    where idempotency_key is not null`.execute(db)

  await sql`
    create table executions (
      id uuid primary key default gen_random_uuid(),
      job_id uuid not null references jobs (id) on delete cascade,
      attempt integer not null check (attempt >= 1),
      status text not null default 'RUNNING' check (status in ('RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
      started_at timestamptz(3) not null default now(),
      heartbeat_at timestamptz(3) not null default now(),
      finished_at timestamptz(3),
      duration_ms bigint,
      rows_processed integer not null default 0,
      rows_success integer not null default 0,
      rows_failed integer not null default 0,
      stages jsonb not null default '[]',
      stats jsonb not null default '{}',
      error_message text,
      worker_node text not null,
      worker_pid integer,
      constraint executions_ended check (
        (status = 'RUNNING') = (finished_at is null) and (finished_at is null) = (duration_ms is null)
        and (status = 'RUNNING' or stats ? 'ok'))
    )`.execute(db)
  await sql`create unique index executions_one_open on executions (job_id) where status = 'RUNNING'`.execute(db)
  await sql`create index executions_job on executions (job_id, started_at desc, id desc)`.execute(db)
  await sql`create index executions_started on executions (started_at desc, id desc)`.execute(db)

  // A day report outlives its job: coverage is judged by it. `latest` marks the newest of one job and date.
  await sql`
    create table scrape_days (
      id uuid primary key default gen_random_uuid(),
      job_id uuid references jobs (id) on delete set null,
      execution_id uuid references executions (id) on delete set null,
      scrape_url_id uuid not null references scrape_urls (id),
      date date,
      latest boolean not null default true,
      attempt integer not null default 0,
      outcome text not null default 'PENDING' check (outcome in
        ('PENDING', 'COMPLETE', 'EMPTY', 'NOT_PUBLISHED', 'GONE', 'INCOMPLETE', 'BLOCKED', 'FAILED')),
      proof text check (proof in ('ID_LIST', 'COUNT', 'FULL_LIST', 'CALENDAR')),
      expected integer, scheduled integer, waiting integer, running integer, closed integer,
      received integer not null default 0,
      saved integer not null default 0,
      rejected integer not null default 0,
      created integer not null default 0,
      updated integer not null default 0,
      unchanged integer not null default 0,
      final boolean not null default false,
      pages integer not null default 0,
      duration_ms integer not null default 0,
      finished_at timestamptz(3),
      constraint scrape_days_read check ((outcome = 'PENDING') = (finished_at is null)),
      constraint scrape_days_sums check (received = saved + rejected and saved = created + updated + unchanged),
      constraint scrape_days_proved check (outcome not in ('COMPLETE', 'EMPTY') or proof is not null)
    )`.execute(db)
  await sql`create unique index scrape_days_latest on scrape_days (job_id, date) nulls not distinct
    where latest and job_id is not null`.execute(db)
  await sql`create index scrape_days_site on scrape_days (scrape_url_id, date, finished_at desc)`.execute(db)

  await sql`
    create table job_log_lines (
      job_id uuid not null references jobs (id) on delete cascade,
      line integer not null check (line >= 1),
      execution_id uuid references executions (id) on delete cascade,
      at timestamptz(3) not null default now(),
      level text not null check (level in ('DEBUG', 'INFO', 'WARN', 'ERROR')),
      message text not null,
      data jsonb,
      primary key (job_id, line)
    )`.execute(db)
  await sql`create index job_log_lines_execution on job_log_lines (execution_id, line)`.execute(db)

  // Every change of a job's status, as subscribers are told of it.
  await sql`
    create table job_events (
      job_id uuid not null references jobs (id) on delete cascade,
      sequence integer not null,
      at timestamptz(3) not null default now(),
      status text not null check (status in ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
      attempt integer not null,
      next_attempt_at timestamptz(3),
      rows_processed integer not null,
      rows_success integer not null,
      rows_failed integer not null,
      dates_done integer not null,
      "current_date" date,
      error_message text,
      primary key (job_id, sequence)
    )`.execute(db)

  await sql`
    create table job_errors (
      id uuid primary key default gen_random_uuid(),
      job_id uuid not null references jobs (id) on delete cascade,
      execution_id uuid references executions (id) on delete cascade,
      scrape_day_id uuid references scrape_days (id) on delete set null,
      category text not null check (category in ('NETWORK', 'PARSING', 'DATA_VALIDATION', 'SYSTEM')),
      code text not null check (code ~ '^[A-Z_]+$'),
      message text not null,
      traceback text,
      retryable boolean not null,
      date date,
      url text,
      occurred_at timestamptz(3) not null default now(),
      auction_id text,
      field text,
      raw_data jsonb
    )`.execute(db)
  await sql`create index job_errors_job on job_errors (job_id, occurred_at desc, id desc)`.execute(db)
  await sql`create index job_errors_occurred on job_errors (occurred_at desc, id desc)`.execute(db)
  await sql`create index job_errors_day on job_errors (scrape_day_id)`.execute(db)
  await sql`alter table jobs add constraint jobs_ended_by foreign key (ended_by_error_id)
    references job_errors (id) on delete set null`.execute(db)

  await sql`
    create table worker_nodes (
      name text primary key,
      started_at timestamptz(3) not null default now(),
      heartbeat_at timestamptz(3) not null default now(),
      -- [{ pid, state, jobId, jobsDone, rssBytes }]
      workers jsonb not null default '[]' check (jsonb_typeof(workers) = 'array')
    )`.execute(db)

  // When the next request to a host or platform may start, over all nodes.
  await sql`
    create table politeness_gates (
      key text primary key,
      next_at timestamptz not null
    )`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs drop constraint jobs_ended_by`.execute(db)
  await sql`drop table politeness_gates, worker_nodes, job_errors, job_events, job_log_lines, scrape_days, executions,
    jobs`.execute(db)
}
