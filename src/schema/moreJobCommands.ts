import type { JobRow } from '../db/tables.ts'
import type { BulkDone } from '../engine/bulkCommands.ts'
import { bulk, clone, mostAtOnce, remove, update } from '../resolvers/moreJobCommands.ts'
import { builder } from './builder.ts'
import { resultType } from './errors.ts'
import { JobFilter } from './inputs.ts'
import { ScrapingJob } from './refs.ts'

const UpdateJobInput = builder.inputType('UpdateJobInput', {
  description: 'Changes of a job that is PENDING. What is left out, or null, stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The job.' }),
    name: t.string({ description: 'Its name.' }),
    priority: t.int({ description: 'Higher runs first; -100..100.' }),
    hold: t.boolean({ description: 'true: take it out of the queue until it is released; false: release it.' }),
    timeoutSeconds: t.int({ description: 'The most that one attempt may take; 1..82800.' }),
    maxAttempts: t.int({ description: 'How many attempts, counting those that were made; 1..10.' }),
  }),
})

const CloneJobInput = builder.inputType('CloneJobInput', {
  description: "A job like another. What is left out is the original's.",
  fields: (t) => ({
    id: t.id({ required: true, description: 'The original, in whatever state.' }),
    name: t.string({ description: 'Its name.' }),
    startDate: t.field({ type: 'Date', description: 'The first day to read.' }),
    endDate: t.field({ type: 'Date', description: 'The last day to read.' }),
    priority: t.int({ description: 'Higher runs first; -100..100.' }),
    timeoutSeconds: t.int({ description: 'The most that one attempt may take; 1..82800.' }),
    maxAttempts: t.int({ description: 'How many attempts, counting the first; 1..10.' }),
    hold: t.boolean({ description: 'Keep it PENDING until it is run by name or released; false unless told.' }),
    idempotencyKey: t.string({
      description:
        'Of its user and mutation, kept 7 days: the same again answers the first clone; with other input KEY_REUSED.',
    }),
  }),
})

const jobSuccess = (name: string, description: string) =>
  builder.objectRef<JobRow>(name).implement({
    description,
    fields: (t) => ({ job: t.field({ type: ScrapingJob, description: 'As it stands now.', resolve: (row) => row }) }),
  })

const bulkSuccess = (name: string, texts: { done: string; jobs: string; skipped: string }) =>
  builder.objectRef<BulkDone>(name).implement({
    description: texts.done,
    fields: (t) => ({
      jobs: t.field({ type: [ScrapingJob], description: texts.jobs, resolve: (done) => done.jobs }),
      skipped: t.exposeInt('skipped', { description: texts.skipped }),
    }),
  })

const DeleteJobSuccess = builder.objectRef<{ deletedId: string }>('DeleteJobSuccess').implement({
  description: 'The job is deleted.',
  fields: (t) => ({ deletedId: t.exposeID('deletedId', { description: 'The id it had.' }) }),
})

const UpdateJobResult = resultType('UpdateJobResult', jobSuccess('UpdateJobSuccess', 'The job is changed.'), [
  'InvalidInputError',
  'NotFoundError',
  'ConflictError',
])
const CloneJobResult = resultType('CloneJobResult', jobSuccess('CloneJobSuccess', 'The clone is stored and queued.'), [
  'InvalidInputError',
  'NotFoundError',
  'ConflictError',
])
const DeleteJobResult = resultType('DeleteJobResult', DeleteJobSuccess, ['NotFoundError', 'ConflictError'])
const CancelJobsResult = resultType(
  'CancelJobsResult',
  bulkSuccess('CancelJobsSuccess', {
    done: 'The jobs are cancelled.',
    jobs: 'Those that were cancelled.',
    skipped: 'How many of the filter had ended.',
  }),
  ['InvalidInputError'],
)
const RetryFailedJobsResult = resultType(
  'RetryFailedJobsResult',
  bulkSuccess('RetryFailedJobsSuccess', {
    done: 'The jobs are queued again.',
    jobs: 'Those that are run again.',
    skipped: 'How many FAILED ones of the filter a retry cannot help.',
  }),
  ['InvalidInputError'],
)

/** The jobs that a command may answer, each with what is selected of it. */
const bulkCost = ({ limit }: { limit?: number | null | undefined }) => {
  const rows = Math.min(Math.max(limit ?? mostAtOnce, 0), mostAtOnce)
  return { field: rows, multiplier: rows }
}

const limitText = `So many: 1..${mostAtOnce}, ${mostAtOnce} unless told. Again for the next ones.`

builder.mutationFields((t) => ({
  updateJob: t.field({
    type: UpdateJobResult.type,
    description: 'Changes a job while it is PENDING, and its place in the queue with it. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { input: t.arg({ type: UpdateJobInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input }, context) => UpdateJobResult.from(await update(input, context)),
  }),
  cloneJob: t.field({
    type: CloneJobResult.type,
    description: 'Submits a job like another one. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { input: t.arg({ type: CloneJobInput, required: true, description: 'Which, and what is different.' }) },
    resolve: async (_root, { input }, context) => CloneJobResult.from(await clone(input, context)),
  }),
  deleteJob: t.field({
    type: DeleteJobResult.type,
    description:
      'Deletes a terminal job with its executions, errors and log; never its prospects, their changes or the reports of its days. Takes ADMIN.',
    authScopes: { admin: true },
    args: { id: t.arg.id({ required: true, description: 'The job.' }) },
    resolve: async (_root, { id }, context) => DeleteJobResult.from(await remove(id, context)),
  }),
  cancelJobs: t.field({
    type: CancelJobsResult.type,
    description: 'Cancels jobs as cancelJob does, waiting ones first, oldest first. Takes OPERATOR.',
    authScopes: { operator: true },
    args: {
      filter: t.arg({ type: JobFilter, required: true, description: 'Which; one that matches every job is refused.' }),
      limit: t.arg.int({ description: limitText }),
    },
    complexity: bulkCost,
    resolve: async (_root, args, context) => CancelJobsResult.from(await bulk('cancelJobs', args, context)),
  }),
  retryFailedJobs: t.field({
    type: RetryFailedJobsResult.type,
    description: 'Retries FAILED jobs that canRetry as retryJob does, oldest first. Takes OPERATOR.',
    authScopes: { operator: true },
    args: {
      filter: t.arg({ type: JobFilter, description: 'Which; every FAILED job unless told.' }),
      limit: t.arg.int({ description: limitText }),
    },
    complexity: bulkCost,
    resolve: async (_root, args, context) => RetryFailedJobsResult.from(await bulk('retryFailedJobs', args, context)),
  }),
}))
