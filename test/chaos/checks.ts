import { isDeepStrictEqual } from 'node:util'
import type { SampleSite } from '../../src/demo/site/server.ts'
import { globalId } from '../../src/domain.ts'
import { expectedProspect } from '../support/expectedProspect.ts'
import type { Api } from './api.ts'
import type { ChaosPostgres } from './postgres.ts'
import type { WatchedJob } from './watchers.ts'

/** One thing that has to hold; no problem: it did. */
export interface Check {
  name: string
  problems: readonly string[]
}

/** Each answers one text for every row that should not be there. */
const invariants: Readonly<Record<string, string>> = {
  'every job is terminal, and as its days say': `
    select format('job %s is %s with %s of %s days done', id, status, dates_done, dates_total) from jobs
    where status not in ('COMPLETED', 'CANCELLED') or (status = 'COMPLETED' and dates_done < dates_total)
      or finished_at is null or next_attempt_at is not null or "current_date" is not null or queue_id is not null`,
  'every execution is closed with its end, its duration and its statistics': `
    select format('execution %s of job %s is %s with %s', id, job_id, status, stats) from executions
    where status = 'RUNNING' or finished_at is null or duration_ms is null or jsonb_typeof(stats->'ok') <> 'boolean'
      or (stats->>'ok')::boolean <> (status = 'COMPLETED') or (error_message is null) <> (status = 'COMPLETED')`,
  'no job had two executions at once': `
    select format('executions %s and %s of job %s overlap', a.id, b.id, a.job_id) from executions a
    join executions b on b.job_id = a.job_id and b.id > a.id
      and b.started_at < a.finished_at and a.started_at < b.finished_at`,
  'no job had more attempts than it may': `
    select format('job %s had attempt %s of %s', id, attempt, max_attempts) from jobs where attempt > max_attempts`,
  'the duration of every job is the sum of its executions': `
    select format('job %s lasted %s ms, its executions %s ms', j.id, j.duration_ms, sum(e.duration_ms)) from jobs j
    left join executions e on e.job_id = j.id group by j.id
    having coalesce(j.duration_ms, 0) <> coalesce(sum(e.duration_ms), 0)`,
  'every log is gapless': `
    select format('job %s has %s lines, the last is %s, and says %s', j.id, count(l.line), max(l.line), j.last_line)
    from jobs j left join job_log_lines l on l.job_id = j.id group by j.id
    having count(l.line) <> j.last_line or coalesce(max(l.line), 0) <> j.last_line`,
  'no execution wrote anything after its end, or once the next had begun': `
    select format('execution %s of job %s wrote line %s after line %s, %s', l.execution_id, l.job_id, max(l.line), min(e.line),
      min(e.message))
    from job_log_lines l join job_log_lines e on e.job_id = l.job_id and e.line < l.line and (
      e.execution_id = l.execution_id and e.message ~ '^(attempt [0-9]+ failed|completed|cancelled)'
      or e.execution_id <> l.execution_id and e.message ~ '^attempt [0-9]+ started' and exists (
        select from job_log_lines s where s.execution_id = l.execution_id and s.line < e.line))
    group by l.execution_id, l.job_id`,
  'the changes of status of every job are a way that a job may go': `
    select format('job %s went from %s to %s at sequence %s', job_id, before, status, sequence) from (
      select *, lag(status) over (partition by job_id order by sequence) as before from job_events) e
    where (coalesce(before, 'NEW'), status) not in (('NEW', 'PENDING'), ('PENDING', 'RUNNING'), ('PENDING', 'CANCELLED'),
      ('RUNNING', 'PENDING'), ('RUNNING', 'COMPLETED'), ('RUNNING', 'FAILED'), ('RUNNING', 'CANCELLED'),
      ('COMPLETED', 'PENDING'), ('FAILED', 'PENDING'), ('CANCELLED', 'PENDING'))`,
  'the last change of status of every job is the one it stands at': `
    select format('job %s is %s at sequence %s, its newest event %s at %s', j.id, j.status, j.sequence, e.status, e.sequence)
    from jobs j left join lateral (select * from job_events e where e.job_id = j.id order by sequence desc limit 1) e on true
    where e.status is distinct from j.status or e.sequence > j.sequence`,
  'the changes of prospects have the positions 1 to n': `
    select format('%s changes, the last is %s, the counter stands at %s', n, last, position) from
      (select count(*) as n, coalesce(max(position), 0) as last, coalesce(min(position), 1) as first from prospect_changes) c,
      prospect_change_counter
    where n <> last or first <> 1 or last <> position`,
  'the figures of every job are the sums of its days': `
    select format('job %s says %s rows, %s rejected, %s days; its days say %s, %s, %s', j.id, rows_success, rows_failed,
      dates_done, sum(saved), sum(rejected), count(*) filter (where outcome in ('COMPLETE', 'EMPTY', 'NOT_PUBLISHED', 'GONE')))
    from jobs j left join scrape_days d on d.job_id = j.id and d.latest group by j.id
    having rows_success <> coalesce(sum(saved), 0) or rows_failed <> coalesce(sum(rejected), 0)
      or dates_done <> count(*) filter (where outcome in ('COMPLETE', 'EMPTY', 'NOT_PUBLISHED', 'GONE'))
      or count(d.id) <> dates_total`,
  'nothing is left in the queue': `
    select format('queue entry %s is %s', id, state) from pgboss.job
    where name = 'scrape' and state not in ('completed', 'cancelled', 'failed')`,
}

const shown = 5

/** What must hold in the database, whatever was done to it. */
export async function checkDatabase(postgres: ChaosPostgres): Promise<Check[]> {
  const checks: Check[] = []
  for (const [name, text] of Object.entries(invariants)) {
    const rows = await postgres.query<{ format: string }>(text)
    checks.push({ name, problems: rows.map((row) => row.format) })
  }
  return checks
}

/** After the answer a job cannot be lost, and what was sent twice with one key is one job. */
export async function checkJobs(postgres: ChaosPostgres, submitted: readonly { id: string }[]): Promise<Check> {
  const rows = await postgres.query<{ id: string }>('select id from jobs')
  const stored = new Set(rows.map((row) => globalId('ScrapingJob', row.id)))
  const answered = new Set(submitted.map((job) => job.id))
  return {
    name: 'every job that was answered is there, and no other',
    problems: [
      ...[...answered].filter((id) => !stored.has(id)).map((id) => `${id} is lost`),
      ...[...stored].filter((id) => !answered.has(id)).map((id) => `nobody was told of ${id}`),
    ],
  }
}

/** What the watchers have heard is what is stored. */
export async function checkWatched(postgres: ChaosPostgres, watched: readonly WatchedJob[]): Promise<Check> {
  const events = await postgres.query<{ job_id: string; sequence: number }>('select job_id, sequence from job_events')
  const jobs = await postgres.query<{ id: string; last_line: number }>('select id, last_line from jobs')
  const lastLines = new Map(jobs.map((job) => [globalId('ScrapingJob', job.id), job.last_line]))
  const byJob = Map.groupBy(events, (event) => globalId('ScrapingJob', event.job_id))
  const problems = watched.flatMap((job) => {
    const missed = (byJob.get(job.jobId) ?? []).filter(
      ({ sequence }) => sequence >= job.firstSequence && !job.sequences.has(sequence),
    )
    const lines = lastLines.get(job.jobId)
    return [
      ...missed.map(({ sequence }) => `${job.jobId}: the change of status at sequence ${sequence} was not told`),
      ...(lines === job.lastLine ? [] : [`${job.jobId}: ${job.lastLine} of ${lines} lines were told`]),
    ]
  })
  return { name: 'every watcher has heard every line and every change of status', problems }
}

type Stored = Record<string, unknown> & {
  auctionId: string
  listings: { sourceKey: string; delistedAt: string | null }[]
}

/** Every listing of every site is there once, with every field, and nothing else is. */
export async function checkTruth(api: Api, sites: readonly SampleSite[], ids: readonly string[]): Promise<Check[]> {
  const missing: string[] = []
  const wrong: string[] = []
  const strange: string[] = []
  let known = 0
  for (const [i, site] of sites.entries()) {
    const stored = await prospectsOf(api, ids[i] ?? '')
    known += stored.length
    const byAid = Map.groupBy(stored, (one) => one.auctionId)
    const expected = site.days.flatMap((day) => day.items.map((item) => expectedProspect(item, day)))
    for (const one of expected) {
      const aid = String(one['auctionId'])
      const found = byAid.get(aid) ?? []
      if (found.length !== 1) missing.push(`site ${i + 1}: auction ${aid} is there ${found.length} times`)
      wrong.push(
        ...found.flatMap((each) => differences(each, one)).map((text) => `site ${i + 1}: auction ${aid}: ${text}`),
      )
      byAid.delete(aid)
    }
    strange.push(...[...byAid.keys()].map((aid) => `site ${i + 1}: auction ${aid} was never there`))
  }
  const { prospects } = await api.ask<{ prospects: { totalCount: number } }>('{ prospects(first: 0) { totalCount } }')
  if (prospects.totalCount !== known) strange.push(`${prospects.totalCount} prospects, ${known} of them of our sites`)
  return [
    { name: 'every listing of every site is there exactly once', problems: missing },
    { name: 'every prospect has the case, the amounts and all that its site says', problems: wrong },
    { name: 'there is no prospect that no site ever had', problems: strange },
  ]
}

function differences(stored: Stored, expected: Record<string, unknown>): string[] {
  const wrong = Object.entries(expected)
    .filter(([name, value]) => !isDeepStrictEqual(stored[name], value))
    .map(([name, value]) => `${name} is ${JSON.stringify(stored[name])}, not ${JSON.stringify(value)}`)
  const open = stored.listings.filter((listing) => listing.delistedAt === null)
  return open.length === 1 && stored.listings.length === 1
    ? wrong
    : [...wrong, `it has ${stored.listings.length} listings`]
}

async function prospectsOf(api: Api, scrapeUrlId: string): Promise<Stored[]> {
  const all: Stored[] = []
  let after: string | null = null
  do {
    const { prospects }: { prospects: { nodes: Stored[]; pageInfo: { hasNextPage: boolean; endCursor: string } } } =
      await api.ask(prospectsQuery, { id: scrapeUrlId, after })
    all.push(...prospects.nodes)
    after = prospects.pageInfo.hasNextPage ? prospects.pageInfo.endCursor : null
  } while (after !== null)
  return all
}

const prospectsQuery = /* GraphQL */ `
  query ($id: ID!, $after: String) {
    prospects(filter: { scrapeUrlIds: [$id] }, first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        auctionId caseNumber caseSuffix auctionDate startsAt auctionStatus auctionType auctionTypeText propertyAddress
        city stateCode zip parcelId parcelUrl caseUrl finalJudgmentAmount plaintiffMaxBid assessedValue openingBid
        depositAmount saleAmount soldAt soldTo buyerType certificateNumber saleNumber listed rawData
        listings { sourceKey delistedAt }
      }
    }
  }
`

/** A check as lines: its name, and the first of its problems. */
export function describeCheck({ name, problems }: Check): string[] {
  if (problems.length === 0) return [`PASS  ${name}`]
  const more = problems.length - shown
  return [
    `FAIL  ${name}`,
    ...problems.slice(0, shown).map((problem) => `        ${problem}`),
    ...(more > 0 ? [`        and ${more} more`] : []),
  ]
}
