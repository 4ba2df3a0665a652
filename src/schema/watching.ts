import type { LogBatch as Batch, JobUpdate } from '../engine/events.ts'
import { encodeId } from '../resolvers/globalIds.ts'
import { loadUpdateResults } from '../resolvers/jobs.ts'
import { watchJob, watchJobs, watchLog } from '../resolvers/watching.ts'
import { builder } from './builder.ts'
import { unremembered } from './connection.ts'
import { JobStatus, JobUpdateKind } from './enums.ts'
import { LogLine } from './executions.ts'
import { JobFilter } from './inputs.ts'
import { JobProgress, JobResult } from './progress.ts'
import { ScrapingJob } from './refs.ts'

const JobStatusUpdate = builder.objectRef<JobUpdate>('JobStatusUpdate').implement({
  description: 'A job at one moment.',
  fields: (t) => ({
    kind: t.expose('kind', { type: JobUpdateKind, description: 'Why it was sent.' }),
    jobId: t.id({ description: 'The id of the job.', resolve: (update) => encodeId('ScrapingJob', update.jobId) }),
    sequence: t.exposeInt('sequence', {
      description: 'Grows from update to update of one job: resume with the last one as afterSequence.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When the job changed.' }),
    status: t.expose('status', { type: JobStatus, description: 'Where it stood.' }),
    isRunning: t.boolean({ description: 'Whether a worker was at it.', resolve: (one) => one.status === 'RUNNING' }),
    attempt: t.exposeInt('attempt', { description: 'The newest attempt; 0 until the first execution.' }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again; set while an automatic retry waits.',
    }),
    progress: t.field({ type: JobProgress, description: 'How far it had come.', resolve: (update) => update }),
    result: t.loadable({
      type: JobResult,
      nullable: true,
      description: 'What it has brought; set once it is terminal.',
      loaderOptions: unremembered,
      load: async (updates: JobUpdate[], context) => await loadUpdateResults(updates, context),
      resolve: (update) => update,
    }),
    errorMessage: t.exposeString('errorMessage', { nullable: true, description: 'Why its newest attempt failed.' }),
    job: t.field({
      type: ScrapingJob,
      nullable: true,
      description: 'The job as it stands now; null once deleted.',
      resolve: (update) => update.jobId,
    }),
  }),
})

const LogBatch = builder.objectRef<Batch>('LogBatch').implement({
  description: "Some lines of a job's log.",
  fields: (t) => ({
    lines: t.field({ type: [LogLine], description: 'The lines, in order.', resolve: (batch) => batch.lines }),
    lastLine: t.exposeInt('lastLine', { description: 'The number of the last of them: resume with it.' }),
  }),
})

builder.subscriptionFields((t) => ({
  jobStatus: t.field({
    type: JobStatusUpdate,
    description:
      'The job as it stands now, at once; then every change; completes after the update in which the job is terminal. A slow client misses intermediate progress, never the newest state and never a change of status.',
    args: {
      jobId: t.arg.id({ required: true, description: 'The job.' }),
      afterSequence: t.arg.int({ description: 'The status changes after this sequence are told first.' }),
    },
    subscribe: async (_root, args, context) => await watchJob(args, context),
    resolve: (update) => update,
  }),
  jobUpdates: t.field({
    type: JobStatusUpdate,
    description:
      'What a dashboard watches, without end: every job that matches the filter before or after the change. A slow client misses intermediate progress, never the newest state of a job and never a change of status.',
    args: {
      filter: t.arg({ type: JobFilter, description: 'Which jobs; all unless told.' }),
      snapshot: t.arg.boolean({
        defaultValue: false,
        description: 'Whether the jobs that match now come first, the newest first; at most 200 of them.',
      }),
    },
    subscribe: (_root, args, context) => watchJobs(args, context),
    resolve: (update) => update,
  }),
  jobLog: t.field({
    type: LogBatch,
    description:
      'Every log line after the given one, old ones first, then live, in batches; none lost, none twice; completes after the last line of a terminal job.',
    args: {
      jobId: t.arg.id({ required: true, description: 'The job.' }),
      afterLine: t.arg.int({ description: 'Lines after this one; 0, from the first, unless told.' }),
    },
    subscribe: async (_root, args, context) => await watchLog(args, context),
    resolve: (batch) => batch,
  }),
}))
