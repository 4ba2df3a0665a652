import type { JobRow } from '../db/tables.ts'
import { loadExecutionsOfJobs } from '../resolvers/executions.ts'
import { keyOf } from '../resolvers/globalIds.ts'
import { loadBatchesOfJobs } from '../resolvers/jobBatches.ts'
import { loadErrorsOfJobs } from '../resolvers/jobErrors.ts'
import {
  type CategoryCount,
  jobs,
  loadDaysOfJobs,
  loadErrorCounts,
  loadLastErrors,
  loadResults,
  loadRetryStates,
  type ResultOf,
} from '../resolvers/jobs.ts'
import { loadProspectsOfJobs } from '../resolvers/prospects.ts'
import { builder } from './builder.ts'
import { connectionType, listCost, pageArgs, pageCost, unremembered } from './connection.ts'
import { ErrorCategory, JobStatus } from './enums.ts'
import { ExecutionConnection } from './executions.ts'
import { JobErrorFilter, JobFilter, JobOrder, ProspectFilter, ProspectOrder } from './inputs.ts'
import { JobErrorConnection } from './jobErrors.ts'
import { JobProgress, JobResult } from './progress.ts'
import { ProspectConnection } from './prospects.ts'
import { County, CountyScrapeUrl, JobBatch, JobError, Schedule, ScrapeDay, ScrapingJob, User } from './refs.ts'

export const ErrorCount = builder.objectRef<CategoryCount>('ErrorCount').implement({
  description: 'How many errors of one category there were.',
  fields: (t) => ({
    category: t.expose('category', { type: ErrorCategory, description: 'What kind of errors.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
    lastAt: t.expose('lastAt', { type: 'DateTime', description: 'When the last of them happened.' }),
  }),
})

ScrapingJob.implement({
  description: 'A job: one county site over a range of days.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name; "FL Miami-Dade 2026-03-16..2026-03-20" unless told.' }),
    county: t.field({ type: County, description: 'Whose site it reads.', resolve: (row) => row.countyFips }),
    scrapeUrl: t.field({
      type: CountyScrapeUrl,
      description: 'The site it reads.',
      resolve: (row) => row.scrapeUrlId,
    }),
    startDate: t.expose('startDate', { type: 'Date', description: 'The first day it reads.' }),
    endDate: t.expose('endDate', { type: 'Date', description: 'The last day it reads.' }),
    sequence: t.exposeInt('sequence', {
      description:
        'Grows with every change, across attempts, nodes and restarts: what jobStatus takes as afterSequence.',
    }),
    status: t.expose('status', { type: JobStatus, description: 'Where it stands.' }),
    isRunning: t.boolean({ description: 'Whether a worker is at it.', resolve: (row) => row.status === 'RUNNING' }),
    held: t.exposeBoolean('held', { description: 'Kept PENDING until it is run by name or released.' }),
    priority: t.exposeInt('priority', { description: 'Higher runs first; -100..100.' }),
    timeoutSeconds: t.exposeInt('timeoutSeconds', { description: 'The most that one attempt may take.' }),
    attempt: t.exposeInt('attempt', { description: 'The newest attempt; 0 until the first execution.' }),
    maxAttempts: t.exposeInt('maxAttempts', { description: 'How many attempts it has, counting the first.' }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again; set while an automatic retry waits.',
    }),
    endedBy: t.field({
      type: JobError,
      nullable: true,
      description: 'The error that ended the newest attempt: what canRetry and retryJob look at.',
      resolve: (row) => row.endedByErrorId,
    }),
    canRetry: t.loadable({
      type: 'Boolean',
      description: 'Whether retryJob takes it.',
      loaderOptions: unremembered,
      load: async (rows: JobRow[], context) => (await loadRetryStates(rows, context)).map((state) => state.canRetry),
      resolve: (row) => row,
    }),
    retryBlockedReason: t.loadable({
      type: 'String',
      nullable: true,
      description: 'Why retryJob does not take it.',
      loaderOptions: unremembered,
      load: async (rows: JobRow[], context) =>
        (await loadRetryStates(rows, context)).map((state) => state.reason as string),
      resolve: (row) => row,
    }),
    progress: t.field({ type: JobProgress, description: 'How far it has come.', resolve: (row) => row }),
    days: t.loadableList({
      type: ScrapeDay,
      description: 'One for each date of the range, oldest first, PENDING until reached.',
      // As many as the suggested range has, though a range may be longer: a page of 200 jobs with their days passes.
      complexity: listCost(45),
      loaderOptions: unremembered,
      load: loadDaysOfJobs,
      resolve: (row) => row.id,
    }),
    result: t.loadable({
      type: JobResult,
      nullable: true,
      description: 'What it has brought; set once it is terminal.',
      loaderOptions: unremembered,
      load: async (ended: ResultOf[], context) => await loadResults(ended, context),
      resolve: (row) => ({ ...row, jobId: row.id }),
    }),
    lastError: t.loadable({
      type: JobError,
      nullable: true,
      description: 'Its newest error.',
      loaderOptions: unremembered,
      load: async (keys: string[], context) => await loadLastErrors(keys, context),
      resolve: (row) => row.id,
    }),
    errorSummary: t.loadableList({
      type: ErrorCount,
      description: 'Its errors, counted by category.',
      loaderOptions: unremembered,
      load: loadErrorCounts,
      resolve: (row) => row.id,
    }),
    executions: t.loadable({
      type: ExecutionConnection,
      description: 'Its runs, newest first.',
      args: pageArgs(t.arg),
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadExecutionsOfJobs(keys, args, context),
      resolve: (row) => row.id,
    }),
    errors: t.loadable({
      type: JobErrorConnection,
      description: 'Its errors, newest first.',
      args: { filter: t.arg({ type: JobErrorFilter, description: 'Which of them.' }), ...pageArgs(t.arg) },
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadErrorsOfJobs(keys, args, context),
      resolve: (row) => row.id,
    }),
    prospects: t.loadable({
      type: ProspectConnection,
      description: 'Every prospect it saved, also when a later job saw it again; by auction date unless told.',
      args: {
        filter: t.arg({ type: ProspectFilter, description: 'Which of them.' }),
        orderBy: t.arg({ type: ProspectOrder, description: 'In which order.' }),
        ...pageArgs(t.arg),
      },
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadProspectsOfJobs(keys, args, context),
      resolve: (row) => row.id,
    }),
    batches: t.loadableList({
      type: JobBatch,
      description: 'The batches it was submitted or released in, newest first.',
      complexity: listCost(2),
      loaderOptions: unremembered,
      // Ids, of which each batch is loaded; the plugin's type knows only rows.
      load: async (keys: string[], context) => (await loadBatchesOfJobs(keys, context)) as never[],
      resolve: (row) => row.id,
    }),
    clonedFrom: t.field({
      type: ScrapingJob,
      nullable: true,
      description: 'The job it was cloned from.',
      resolve: (row) => row.clonedFromId,
    }),
    schedule: t.field({
      type: Schedule,
      nullable: true,
      description:
        'The schedule that made it; null for a job that somebody submitted, or once the schedule is deleted.',
      resolve: (row) => row.scheduleId,
    }),
    createdBy: t.field({
      type: User,
      nullable: true,
      description: 'Who submitted it.',
      resolve: (row) => row.createdBy,
    }),
    updatedBy: t.field({
      type: User,
      nullable: true,
      description: 'Who changed it last.',
      resolve: (row) => row.updatedBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was submitted.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it last changed.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When it was started.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it became terminal.' }),
    durationMs: t.exposeInt('durationMs', { nullable: true, description: 'Milliseconds, the sum of its executions.' }),
  }),
})

export const JobConnection = connectionType('ScrapingJob', ScrapingJob, 'jobs')

builder.queryFields((t) => ({
  job: t.field({
    type: ScrapingJob,
    nullable: true,
    description: 'A job by its id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    complexity: { field: 1, multiplier: 1 },
    resolve: (_root, { id }) => keyOf('ScrapingJob', id),
  }),
  jobs: t.field({
    type: JobConnection,
    description: 'Jobs, newest first unless told.',
    args: {
      filter: t.arg({ type: JobFilter, description: 'Which of them.' }),
      orderBy: t.arg({ type: JobOrder, description: 'In which order.' }),
      ...pageArgs(t.arg),
    },
    complexity: pageCost,
    resolve: async (_root, args, context) => await jobs(args, context),
  }),
}))
