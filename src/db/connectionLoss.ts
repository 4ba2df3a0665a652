/**
 * Whether an error says that the database itself is gone: its connection was refused or lost (SQLSTATE class 08, 57P
 * of a server that stops or starts, the network's own codes), and no statement is at fault.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  if (/^(08|57P)/.test(code) || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(code)) return true
  // What pg says of a socket that ended, which carries no code.
  return /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/.test(
    error.message,
  )
}
