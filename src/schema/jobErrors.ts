import { jobErrors } from '../resolvers/jobErrors.ts'
import { builder } from './builder.ts'
import { connectionType, pageArgs, pageCost } from './connection.ts'
import { ErrorCategory } from './enums.ts'
import { JobErrorFilter } from './inputs.ts'
import { JobError, JobExecutionLog, ScrapingJob } from './refs.ts'

JobError.implement({
  description: 'Something that went wrong in a job.',
  fields: (t) => ({
    job: t.field({ type: ScrapingJob, description: 'The job it happened in.', resolve: (row) => row.jobId }),
    execution: t.field({
      type: JobExecutionLog,
      nullable: true,
      description: 'The run it happened in.',
      resolve: (row) => row.executionId,
    }),
    category: t.expose('category', { type: ErrorCategory, description: 'What kind of error it was.' }),
    code: t.exposeString('code', { description: 'What happened, such as DAY_INCOMPLETE.' }),
    message: t.exposeString('message', { description: 'For people.' }),
    traceback: t.exposeString('traceback', {
      nullable: true,
      description: 'Where in the code it happened. Takes ADMIN.',
      authScopes: { admin: true },
    }),
    retryable: t.exposeBoolean('retryable', { description: 'Whether another attempt may help.' }),
    date: t.expose('date', { type: 'Date', nullable: true, description: 'The auction day that was read.' }),
    url: t.expose('url', { type: 'URL', nullable: true, description: 'The page that was read.' }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', description: 'When it happened.' }),
    auctionId: t.exposeString('auctionId', { nullable: true, description: "A rejected row's item, by the site's id." }),
    field: t.exposeString('field', {
      nullable: true,
      description: 'The field of a rejected row that was not understood.',
    }),
    rawData: t.expose('rawData', {
      type: 'JSON',
      nullable: true,
      description: 'Everything that was read of a rejected row.',
    }),
  }),
})

export const JobErrorConnection = connectionType('JobError', JobError, 'errors of jobs')

builder.queryField('jobErrors', (t) =>
  t.field({
    type: JobErrorConnection,
    description: 'Errors of all jobs, newest first.',
    args: { filter: t.arg({ type: JobErrorFilter, description: 'Which of them.' }), ...pageArgs(t.arg) },
    complexity: pageCost,
    resolve: async (_root, args, context) => await jobErrors(args, context),
  }),
)
