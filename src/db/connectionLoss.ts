import { setTimeout as delay } from 'node:timers/promises'

/** What the network says of a server that is away, or of one that fails over behind its name. */
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/**
 * Whether an error says that the database itself is gone: its connection was refused or lost (SQLSTATE class 08, 57P
 * of a server that stops or starts, 53300 of one that has no connection left, 25P03 of one that ended an idle
 * transaction, the network's own codes), and no statement is at fault.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (/^(08|57P|53300|25P03)/.test(code) || networkCodes.has(code)) return true
  // What pg says of a socket that ended, which carries no code.
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
    error.message,
  )
}

const patienceMs = 60_000
const firstPauseMs = 100
const longestPauseMs = 2_000

/**
 * Does a piece of database work, and again while the database is away: for a minute, or until the signal aborts; then
 * throws what it has failed with. What a lost connection has committed or not is unknown, so it must be work that may
 * be done twice: a read, or a transaction that is fenced or finds what it has written.
 */
export async function throughConnectionLoss<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const deadline = Date.now() + patienceMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await work()
    } catch (error) {
      if (!isConnectionLoss(error) || signal?.aborted || Date.now() > deadline) throw error
      await delay(pauseMs, undefined, { signal }).catch(() => {
        // Nobody waits for it any longer: what it has failed with is the answer.
        throw error
      })
    }
  }
}
