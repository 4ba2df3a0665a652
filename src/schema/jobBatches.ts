import { keyOf } from '../resolvers/globalIds.ts'
import {
  loadJobsOfBatches,
  mostBatchDays,
  mostBatchJobs,
  processPending,
  submitMany,
  watchBatch,
} from '../resolvers/jobBatches.ts'
import { mostAtOnce } from '../resolvers/moreJobCommands.ts'
import { builder } from './builder.ts'
import { pageArgs, pageCost, unremembered } from './connection.ts'
import { AuctionType, SitePlatform } from './enums.ts'
import { resultType } from './errors.ts'
import { JobConnection } from './jobs.ts'
import { JobBatch, User } from './refs.ts'

JobBatch.implement({
  description: 'Jobs that were submitted, or released from their hold, together. What is deleted of them leaves it.',
  fields: (t) => ({
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    createdBy: t.field({ type: User, nullable: true, description: 'Who made it.', resolve: (row) => row.createdBy }),
    jobs: t.loadable({
      type: JobConnection,
      description: 'Its jobs, newest first.',
      args: pageArgs(t.arg),
      byPath: true,
      complexity: pageCost,
      loaderOptions: unremembered,
      load: async (keys: string[], context, args) => await loadJobsOfBatches(keys, args, context),
      resolve: (row) => row.id,
    }),
    total: t.exposeInt('total', { description: 'How many jobs it has.' }),
    pending: t.exposeInt('pending', { description: 'How many of them are PENDING.' }),
    running: t.exposeInt('running', { description: 'How many of them are RUNNING.' }),
    completed: t.exposeInt('completed', { description: 'How many of them are COMPLETED.' }),
    failed: t.exposeInt('failed', { description: 'How many of them are FAILED.' }),
    cancelled: t.exposeInt('cancelled', { description: 'How many of them are CANCELLED.' }),
    rowsCollected: t.exposeInt('rowsCollected', { description: 'Rows that they have saved.' }),
    done: t.exposeBoolean('done', { description: 'Whether every one is terminal.' }),
  }),
})

builder.queryField('batch', (t) =>
  t.field({
    type: JobBatch,
    nullable: true,
    description: 'A batch by its id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    complexity: { field: 1, multiplier: 1 },
    resolve: (_root, { id }) => keyOf('JobBatch', id),
  }),
)

const SubmitJobsInput = builder.inputType('SubmitJobsInput', {
  description: `A job for each of many sites: exactly one of scrapeUrlIds, states and all. Inactive sites are skipped; at most ${mostBatchJobs} sites, and ${mostBatchDays} days of all of them together.`,
  fields: (t) => ({
    scrapeUrlIds: t.idList({ description: 'These sites.' }),
    states: t.stringList({ description: 'The sites of these states, by their codes.' }),
    all: t.boolean({ description: 'Every site.' }),
    auctionType: t.field({ type: [AuctionType], description: 'Of these sites, the ones saved with such a type.' }),
    platform: t.field({ type: [SitePlatform], description: 'Of these sites, the ones of these platforms.' }),
    startDate: t.field({ type: 'Date', description: "The first day to read; each site's suggested one unless told." }),
    endDate: t.field({ type: 'Date', description: "The last day to read; each site's suggested one unless told." }),
    priority: t.int({ description: 'Higher runs first; -100..100, 0 unless told.' }),
    timeoutSeconds: t.int({ description: 'The most that one attempt of a job may take; 1..82800.' }),
    maxAttempts: t.int({ description: 'How many attempts each has, counting the first; 1..10, 4 unless told.' }),
    hold: t.boolean({ description: 'Keep them PENDING until they are run by name or released.' }),
    idempotencyKey: t.string({
      description:
        'Of its user and mutation, kept 7 days: the same again answers the first batch; with other input KEY_REUSED.',
    }),
  }),
})

const SubmitJobsSuccess = builder.objectRef<{ batchId: string }>('SubmitJobsSuccess').implement({
  description: 'The jobs are stored and queued, all of them.',
  fields: (t) => ({
    batch: t.field({ type: JobBatch, description: 'The jobs.', resolve: ({ batchId }) => batchId }),
  }),
})

const ProcessPendingJobsSuccess = builder
  .objectRef<{ batchId: string; remaining: number }>('ProcessPendingJobsSuccess')
  .implement({
    description: 'The jobs are queued.',
    fields: (t) => ({
      batch: t.field({ type: JobBatch, description: 'Those that were released.', resolve: ({ batchId }) => batchId }),
      remaining: t.exposeInt('remaining', { description: 'How many jobs are still held.' }),
    }),
  })

const SubmitJobsResult = resultType('SubmitJobsResult', SubmitJobsSuccess, [
  'InvalidInputError',
  'NotFoundError',
  'ConflictError',
])
const ProcessPendingJobsResult = resultType('ProcessPendingJobsResult', ProcessPendingJobsSuccess, [
  'InvalidInputError',
])

builder.mutationFields((t) => ({
  submitJobs: t.field({
    type: SubmitJobsResult.type,
    description:
      'Stores a job for each site and queues them, in one transaction: all of them or none. Sites that match nothing make an empty batch. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { input: t.arg({ type: SubmitJobsInput, required: true, description: 'What to run.' }) },
    resolve: async (_root, { input }, context) => SubmitJobsResult.from(await submitMany(input, context)),
  }),
  processPendingJobs: t.field({
    type: ProcessPendingJobsResult.type,
    description: 'Releases held jobs, oldest first. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { limit: t.arg.int({ description: `So many: 1..${mostAtOnce}, ${mostAtOnce} unless told.` }) },
    resolve: async (_root, { limit }, context) => ProcessPendingJobsResult.from(await processPending(limit, context)),
  }),
}))

builder.subscriptionField('batchStatus', (t) =>
  t.field({
    type: JobBatch,
    description:
      'The batch as it stands, then on every change of it, at most four times a second; completes when it is done. A slow client misses what is between, never the newest state.',
    args: { batchId: t.arg.id({ required: true, description: 'The batch.' }) },
    subscribe: async (_root, { batchId }, context) => await watchBatch(batchId, context),
    resolve: (batch) => batch,
  }),
)
