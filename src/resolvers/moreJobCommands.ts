import { GraphQLError } from 'graphql'
import type { JobFilter } from '../db/jobPages.ts'
import { RefusedInputError } from '../db/pages.ts'
import type { JobRow } from '../db/tables.ts'
import type { BulkDone } from '../engine/bulkCommands.ts'
import type { CloneJobInput } from '../engine/cloneJob.ts'
import type { InputIssue, Outcome } from '../engine/outcome.ts'
import type { UpdateJobInput } from '../engine/updateJob.ts'
import type { Context } from './context.ts'
import { type JobFilterArg, jobFilter } from './filters.ts'
import { keyOf } from './globalIds.ts'

export { mostAtOnce } from '../engine/limit.ts'

export async function update(input: UpdateJobInput, { commands, viewer }: Context): Promise<Outcome<JobRow>> {
  return await onJob(input.id, async (id) => await commands.updateJob({ ...input, id }, viewer?.user.id ?? null))
}

export async function clone(input: CloneJobInput, { commands, viewer }: Context): Promise<Outcome<JobRow>> {
  return await onJob(input.id, async (id) => await commands.cloneJob({ ...input, id }, viewer?.user.id ?? null))
}

/** Answers the id that was given. */
export async function remove(id: string, { commands, viewer }: Context): Promise<Outcome<{ deletedId: string }>> {
  const outcome = await onJob(id, async (key) => await commands.deleteJob(key, viewer?.user.id ?? null))
  return outcome.kind === 'ok' ? { kind: 'ok', value: { deletedId: id } } : outcome
}

/** cancelJobs or retryFailedJobs of the contract; what is wrong with the filter is told as an issue of the input. */
export async function bulk(
  name: 'cancelJobs' | 'retryFailedJobs',
  args: { filter?: JobFilterArg | null | undefined; limit?: number | null | undefined },
  { commands, viewer }: Context,
): Promise<Outcome<BulkDone>> {
  const read = readFilter(args.filter)
  if ('issues' in read) return { kind: 'invalid', issues: read.issues }
  return await commands[name]({ filter: read.filter, limit: args.limit }, viewer?.user.id ?? null)
}

/** Runs a command by the key of a global id; what is not found is told by the id that was given. */
async function onJob<T>(id: string, command: (key: string) => Promise<Outcome<T>>): Promise<Outcome<T>> {
  const outcome = await command(keyOf('ScrapingJob', id) ?? id)
  return outcome.kind === 'notFound' ? { ...outcome, id } : outcome
}

function readFilter(arg: JobFilterArg | null | undefined): { filter: JobFilter } | { issues: InputIssue[] } {
  try {
    return { filter: jobFilter(arg) }
  } catch (error) {
    if (error instanceof RefusedInputError) return { issues: error.issues }
    if (error instanceof GraphQLError && error.extensions['code'] === 'BAD_USER_INPUT') {
      return { issues: error.extensions['issues'] as InputIssue[] }
    }
    throw error
  }
}
