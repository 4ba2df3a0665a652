import type { IncomingMessage } from 'node:http'

/** A host name or an address, with its port or without. */
const hostForm = /^(?:[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

/**
 * Where the client reached this server, such as `https://gavel.example:8443`: from its Host header, or the socket's own
 * address where that holds none; https when a proxy says so. It goes into nothing but the answer to this client.
 */
export function originOf({ headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>): string {
  const [forwarded = ''] = String(headers['x-forwarded-proto'] ?? '').split(',', 1)
  const scheme = forwarded.trim().toLowerCase() === 'https' ? 'https' : 'http'
  const { host = '' } = headers
  return `${scheme}://${hostForm.test(host) ? host : ownHost(socket)}`
}

function ownHost({ localAddress = '127.0.0.1', localPort }: IncomingMessage['socket']): string {
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`
}
