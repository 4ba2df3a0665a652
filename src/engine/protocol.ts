import { z } from 'zod'
import { stageNames } from '../domain.ts'
import { type ErrorCode, errorPolicies } from './errors.ts'

/**
 * What parent and child say to each other over the IPC channel, as JSON.
 *
 * A child starts, says `ready`, and is given one `run` at a time, which it answers with `done`. `heartbeat` goes on all
 * the time, for a child that is silent hangs. A child that loses the channel exits: its node has died or lets it go.
 */
export const toChild = z.object({
  type: z.literal('run'),
  executionId: z.uuid(),
  /** When the parent will end the attempt, in epoch milliseconds: waits that do not fit are not begun. */
  deadline: z.number(),
})

const errorCode = z.custom<ErrorCode>((code) => typeof code === 'string' && code in errorPolicies)

/** The error that ended an attempt. */
export const endingError = z.object({
  code: errorCode,
  message: z.string(),
  traceback: z.string().nullable(),
  date: z.string().nullable(),
  url: z.string().nullable(),
  retryAfterSeconds: z.number().nonnegative().optional(),
  /** The row of the error, where a day's save has stored it. */
  errorId: z.uuid().nullable(),
})

const stages = z.array(z.object({ name: z.enum(stageNames), durationMs: z.number().int(), count: z.number().int() }))

/** What came of a run: told by the child, or made up by its parent when the child cannot. */
export const runOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('completed'), stages }),
  z.object({ kind: z.literal('failed'), error: endingError, stages: stages.nullable() }),
  /** Its execution was closed meanwhile: there is nothing to end. */
  z.object({ kind: z.literal('fenced') }),
])

export const toParent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('heartbeat'), rssBytes: z.number() }),
  z.object({ type: z.literal('done'), executionId: z.uuid(), outcome: runOutcome }),
])

export type ToChild = z.infer<typeof toChild>
export type ToParent = z.infer<typeof toParent>
export type EndingError = z.infer<typeof endingError>
export type RunOutcome = z.infer<typeof runOutcome>
