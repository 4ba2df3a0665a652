/** One thing that is wrong with an input: where (`['startDate']`), and what it may be. */
export interface InputIssue {
  path: string[]
  message: string
}

export type ConflictReason =
  | 'JOB_RUNNING'
  | 'JOB_FINISHED'
  | 'NOT_FAILED'
  | 'NOT_RETRYABLE'
  | 'SCRAPE_URL_INACTIVE'
  | 'KEY_REUSED'
  | 'ALREADY_EXISTS'
  | 'IN_USE'

/**
 * What a command answers: done, or why it was refused. A refusal has changed nothing. Faults are thrown.
 */
export type Outcome<T> =
  | { kind: 'ok'; value: T }
  | { kind: 'invalid'; issues: InputIssue[] }
  | { kind: 'notFound'; id: string; message: string }
  | { kind: 'conflict'; reason: ConflictReason; message: string; jobId?: string }
