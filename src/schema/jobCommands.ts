import type { JobRow } from '../db/tables.ts'
import { command, submit } from '../resolvers/jobs.ts'
import { builder } from './builder.ts'
import { resultType } from './errors.ts'
import { ScrapingJob } from './refs.ts'

const SubmitJobInput = builder.inputType('SubmitJobInput', {
  description: 'A job to run. Days that are left out are the suggested range; at most 366.',
  fields: (t) => ({
    scrapeUrlId: t.id({ required: true, description: 'The site to read.' }),
    name: t.string({ description: 'Its name.' }),
    startDate: t.field({ type: 'Date', description: 'The first day to read.' }),
    endDate: t.field({ type: 'Date', description: 'The last day to read.' }),
    priority: t.int({ description: 'Higher runs first; -100..100, 0 unless told.' }),
    timeoutSeconds: t.int({
      description: 'The most that one attempt may take, waiting for Retry-After included; 1..82800.',
    }),
    maxAttempts: t.int({ description: 'How many attempts, counting the first; 1..10, 4 unless told.' }),
    hold: t.boolean({ description: 'Keep it PENDING until it is run by name or released.' }),
    idempotencyKey: t.string({
      description:
        'Of its user and mutation, kept 7 days: the same again answers the first job; with other input KEY_REUSED.',
    }),
  }),
})

const jobSuccess = (name: string, description: string) =>
  builder.objectRef<JobRow>(name).implement({
    description,
    fields: (t) => ({ job: t.field({ type: ScrapingJob, description: 'As it stands now.', resolve: (row) => row }) }),
  })

const SubmitJobResult = resultType('SubmitJobResult', jobSuccess('SubmitJobSuccess', 'The job is stored and queued.'), [
  'InvalidInputError',
  'NotFoundError',
  'ConflictError',
])
const RunJobResult = resultType('RunJobResult', jobSuccess('RunJobSuccess', 'The job is queued.'), [
  'NotFoundError',
  'ConflictError',
])
const RetryJobResult = resultType('RetryJobResult', jobSuccess('RetryJobSuccess', 'The job is queued again.'), [
  'NotFoundError',
  'ConflictError',
])
const CancelJobResult = resultType('CancelJobResult', jobSuccess('CancelJobSuccess', 'The job is cancelled.'), [
  'NotFoundError',
  'ConflictError',
])

builder.mutationFields((t) => ({
  submitJob: t.field({
    type: SubmitJobResult.type,
    description:
      'Stores a job and queues it: after the answer it cannot be lost; without an answer it was not made. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { input: t.arg({ type: SubmitJobInput, required: true, description: 'What to run.' }) },
    resolve: async (_root, { input }, context) => SubmitJobResult.from(await submit(input, context)),
  }),
  runJob: t.field({
    type: RunJobResult.type,
    description:
      '"Run now" on a held job; "Re-run" on a finished one: all days again, attempt from 0, sequence goes on. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { id: t.arg.id({ required: true, description: 'The job.' }) },
    resolve: async (_root, { id }, context) => RunJobResult.from(await command('runJob', id, context)),
  }),
  retryJob: t.field({
    type: RetryJobResult.type,
    description: 'Runs a FAILED job that canRetry: the open days only, at once, with fresh attempts. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { id: t.arg.id({ required: true, description: 'The job.' }) },
    resolve: async (_root, { id }, context) => RetryJobResult.from(await command('retryJob', id, context)),
  }),
  cancelJob: t.field({
    type: CancelJobResult.type,
    description: 'Ends a job forcefully: a running worker is stopped, not asked. Takes OPERATOR.',
    authScopes: { operator: true },
    args: { id: t.arg.id({ required: true, description: 'The job.' }) },
    resolve: async (_root, { id }, context) => CancelJobResult.from(await command('cancelJob', id, context)),
  }),
}))
