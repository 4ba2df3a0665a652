import { FencedError } from '../db/changeJob.ts'
import { staleExecutions } from '../db/executions.ts'
import type { JobRow } from '../db/tables.ts'
import { type ExecutionDeps, endStaleExecution } from './executions.ts'
import type { Outcome } from './outcome.ts'

/**
 * Does by hand what nodes do by themselves: closes the executions whose worker has shown no life for
 * `olderThanSeconds` (`staleAfterSeconds` unless told), as WORKER_LOST, and lets their jobs run again at once. A job
 * whose attempts are used up is FAILED. Answers the jobs as they then stand. Refuses less than `staleAfterSeconds`: a
 * worker that lives may be silent for that long.
 */
export async function recoverStaleJobs(
  deps: ExecutionDeps & { staleAfterSeconds: number },
  { olderThanSeconds = deps.staleAfterSeconds }: { olderThanSeconds?: number | undefined } = {},
): Promise<Outcome<{ jobs: JobRow[] }>> {
  if (olderThanSeconds < deps.staleAfterSeconds) {
    const message = `must be at least GAVEL_STALE_AFTER, ${deps.staleAfterSeconds} seconds`
    return { kind: 'invalid', issues: [{ path: ['olderThanSeconds'], message }] }
  }
  const jobs: JobRow[] = []
  for (const execution of await staleExecutions(deps.db, olderThanSeconds)) {
    try {
      const job = await endStaleExecution(deps, execution.id, olderThanSeconds)
      if (job) jobs.push(job)
    } catch (error) {
      // Ended meanwhile, by a node that took the job over.
      if (!(error instanceof FencedError)) throw error
    }
  }
  return { kind: 'ok', value: { jobs } }
}
