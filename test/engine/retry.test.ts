import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorPolicies } from '../../src/engine/errors.ts'
import { decide } from '../../src/engine/retry.ts'

const job = (attempt: number, maxAttempts = 4) => ({ attempt, maxAttempts, retryDelaysSeconds: [5, 25, 125] })
const failed = (code: ErrorCode, retryAfterSeconds?: number) => ({ kind: 'failed', code, retryAfterSeconds }) as const
const retry = (delaySeconds: number, countsAttempt = true) => ({ kind: 'retry', delaySeconds, countsAttempt })

describe('decide', () => {
  it('completes what is completed', () => {
    expect(decide({ kind: 'completed' }, job(4))).toEqual({ kind: 'completed' })
  })

  it.each([
    [1, 4, retry(5)],
    [2, 4, retry(25)],
    [3, 4, retry(125)],
    [4, 4, { kind: 'failed' }],
    [7, 10, retry(125)],
    [1, 1, { kind: 'failed' }],
  ])('after attempt %i of %i that met the network says %o', (attempt, maxAttempts, decision) => {
    expect(decide(failed('CONNECTION'), job(attempt, maxAttempts))).toEqual(decision)
  })

  it.each(Object.entries(errorPolicies))('tries %s again only when its policy says so', (code, policy) => {
    const decision = decide(failed(code as ErrorCode), job(1))
    expect(decision.kind).toBe(policy.retryable ? 'retry' : 'failed')
  })

  it('runs the job of a lost worker again at once, while attempts are left', () => {
    expect(decide(failed('WORKER_LOST'), job(2))).toEqual(retry(0))
    expect(decide(failed('WORKER_LOST'), job(4))).toEqual({ kind: 'failed' })
  })

  it('obeys a Retry-After, which costs no attempt', () => {
    expect(decide(failed('HTTP_ERROR', 3600), job(4))).toEqual(retry(3600, false))
    expect(decide(failed('HTTP_ERROR', 999_999_999), job(4))).toEqual(retry(86_400, false))
  })

  it('runs again at once where no delays are set', () => {
    expect(decide(failed('TIMEOUT'), { attempt: 1, maxAttempts: 2, retryDelaysSeconds: [] })).toEqual(retry(0))
  })
})
