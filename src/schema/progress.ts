import type { JobStatus, DayOutcome as Outcome } from '../domain.ts'
import { loadCsvUrls } from '../resolvers/exports.ts'
import type { JobResult as Result } from '../resolvers/jobs.ts'
import { builder } from './builder.ts'
import { unremembered } from './connection.ts'
import { DayOutcome } from './enums.ts'

/** What tells a job's progress: its row, or an update of it. */
export interface Progressing {
  status: JobStatus
  rowsProcessed: number
  rowsSuccess: number
  rowsFailed: number
  datesTotal: number
  datesDone: number
  currentDate: string | null
  startedAt: Date | null
}

export const JobProgress = builder.objectRef<Progressing>('JobProgress').implement({
  description: 'How far a job has come.',
  fields: (t) => ({
    rowsProcessed: t.exposeInt('rowsProcessed', { description: 'Rows read, the day in work included.' }),
    rowsSuccess: t.exposeInt('rowsSuccess', { description: 'Rows saved, by the newest report of each day.' }),
    rowsFailed: t.exposeInt('rowsFailed', { description: 'Rows rejected, by the newest report of each day.' }),
    datesTotal: t.exposeInt('datesTotal', { description: 'Days of the range.' }),
    datesDone: t.exposeInt('datesDone', { description: 'Days that are done.' }),
    currentDate: t.expose('currentDate', { type: 'Date', nullable: true, description: 'The day in work.' }),
    percent: t.float({
      description: 'Days done, 0..100.',
      resolve: (job) => Math.round((job.datesDone / job.datesTotal) * 1000) / 10,
    }),
    etaSeconds: t.int({
      nullable: true,
      description: 'Seconds until it is done, judged by the days so far; null until it can be told.',
      resolve: etaSeconds,
    }),
  }),
})

export const OutcomeCount = builder.objectRef<{ outcome: Outcome; count: number }>('OutcomeCount').implement({
  description: 'How many days ended in one way.',
  fields: (t) => ({
    outcome: t.expose('outcome', { type: DayOutcome, description: 'How they ended.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
})

export const JobResult = builder.objectRef<Result>('JobResult').implement({
  description: 'What a job has brought.',
  fields: (t) => ({
    success: t.exposeBoolean('success', { description: 'Whether it completed.' }),
    rowsCollected: t.exposeInt('rowsCollected', { description: 'Rows saved.' }),
    duration: t.exposeString('duration', { description: 'HH:MM:SS, the sum of its executions.' }),
    csvUrl: t.loadable({
      type: 'URL',
      nullable: true,
      description:
        'A signed link to the CSV of every prospect it saved, as they now are: good without a key for an hour.',
      loaderOptions: unremembered,
      load: async (jobIds: string[], context) => await loadCsvUrls(jobIds, context),
      resolve: (result) => result.jobId,
    }),
    days: t.field({
      type: [OutcomeCount],
      description: 'How its days ended.',
      resolve: (result) => result.days,
    }),
  }),
})

function etaSeconds(job: Progressing): number | null {
  if (job.status !== 'RUNNING' || !job.startedAt || job.datesDone === 0) return null
  const elapsed = (Date.now() - job.startedAt.getTime()) / 1000
  return Math.max(0, Math.round((elapsed / job.datesDone) * (job.datesTotal - job.datesDone)))
}
