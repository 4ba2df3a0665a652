import type { ErrorCategory } from '../domain.ts'

/**
 * The policy of every error code: its category, and whether a failed attempt that ended with it is tried again.
 * WORKER_LOST is the one SYSTEM error that is retryable; NOT_A_TENANT is a mistake in the site's address.
 */
export const errorPolicies = {
  CONNECTION: { category: 'NETWORK', retryable: true },
  TIMEOUT: { category: 'NETWORK', retryable: true },
  HTTP_ERROR: { category: 'NETWORK', retryable: true },
  BLOCKED: { category: 'NETWORK', retryable: true },
  COLD_SESSION: { category: 'NETWORK', retryable: true },
  SITE_OFFLINE: { category: 'NETWORK', retryable: true },
  BODY_TOO_LARGE: { category: 'NETWORK', retryable: true },
  FOREIGN_REDIRECT: { category: 'NETWORK', retryable: true },
  DAY_INCOMPLETE: { category: 'PARSING', retryable: true },
  TEMPLATE_CHANGED: { category: 'PARSING', retryable: true },
  ROW_INVALID: { category: 'DATA_VALIDATION', retryable: false },
  NOT_A_TENANT: { category: 'DATA_VALIDATION', retryable: false },
  NO_BROWSER: { category: 'SYSTEM', retryable: false },
  DISK: { category: 'SYSTEM', retryable: false },
  INTERNAL: { category: 'SYSTEM', retryable: false },
  WORKER_LOST: { category: 'SYSTEM', retryable: true },
} as const satisfies Record<string, { category: ErrorCategory; retryable: boolean }>

export type ErrorCode = keyof typeof errorPolicies

/** What is known of the place an error happened at. */
export interface ErrorDetail {
  url?: string
  /** The auction day that was being read. */
  date?: string
  /** Seconds that a 429 or 503 asked to wait (Retry-After). */
  retryAfterSeconds?: number
  auctionId?: string | null
  field?: string | null
  rawData?: unknown
  cause?: unknown
}

/** An error of scraping. Its code decides what happens next: see errorPolicies. */
export class ScrapeError extends Error {
  override name = 'ScrapeError'
  readonly code: ErrorCode
  readonly detail: ErrorDetail

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.code = code
    this.detail = detail
  }

  get category(): ErrorCategory {
    return errorPolicies[this.code].category
  }

  get retryable(): boolean {
    return errorPolicies[this.code].retryable
  }
}

/** Any thrown value as a ScrapeError: itself, or INTERNAL with the original as its cause. */
export function asScrapeError(error: unknown): ScrapeError {
  if (error instanceof ScrapeError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new ScrapeError('INTERNAL', message, { cause: error })
}
