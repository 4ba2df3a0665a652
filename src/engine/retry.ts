import { type ErrorCode, errorPolicies } from './errors.ts'

/** How an attempt ended; a cancelled one is not decided on. */
export type AttemptEnd =
  | { kind: 'completed' }
  | {
      kind: 'failed'
      code: ErrorCode
      /** What a 429 or 503 asked to wait, where that was longer than what was left of the attempt's time. */
      retryAfterSeconds?: number | undefined
    }

/** What becomes of the job. `countsAttempt`: the next execution raises the job's attempt. */
export type Decision =
  | { kind: 'completed' }
  | { kind: 'failed' }
  | { kind: 'retry'; delaySeconds: number; countsAttempt: boolean }

/** A site that asks for more is asked again after a day: a date by mistake would park the job for years. */
const longestWaitSeconds = 86_400

/**
 * Decides, and writes nothing. A retryable error is tried again after the delay of its attempt (the last delay again
 * for further ones) until `maxAttempts` are used up; a lost worker's job at once; a Retry-After is obeyed and
 * costs no attempt.
 */
export function decide(
  end: AttemptEnd,
  job: { attempt: number; maxAttempts: number; retryDelaysSeconds: readonly number[] },
): Decision {
  if (end.kind !== 'failed') return end
  if (!errorPolicies[end.code].retryable) return { kind: 'failed' }
  if (end.retryAfterSeconds !== undefined) {
    return { kind: 'retry', delaySeconds: Math.min(end.retryAfterSeconds, longestWaitSeconds), countsAttempt: false }
  }
  if (job.attempt >= job.maxAttempts) return { kind: 'failed' }
  if (end.code === 'WORKER_LOST') return { kind: 'retry', delaySeconds: 0, countsAttempt: true }
  const delays = job.retryDelaysSeconds
  return { kind: 'retry', delaySeconds: delays[job.attempt - 1] ?? delays.at(-1) ?? 0, countsAttempt: true }
}
