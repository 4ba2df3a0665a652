import type { IncomingMessage, ServerResponse } from 'node:http'

/** Whether the request comes from a page of this server, of an origin that the settings name, or from no page at all. */
export function isAllowedOrigin({ headers }: IncomingMessage, allowOrigins: readonly string[]): boolean {
  const { origin, host } = headers
  if (origin === undefined || allowOrigins.includes(origin)) return true
  return URL.canParse(origin) && new URL(origin).host === host
}

/**
 * Lets pages of the origins that the settings name read answers; any other gets no header, and a browser keeps the
 * answer from it. Cookies play no part: the key travels in a header. True when the request was a preflight, which is
 * answered.
 */
export function answerCors(
  request: IncomingMessage,
  response: ServerResponse,
  allowOrigins: readonly string[],
): boolean {
  const { origin } = request.headers
  if (allowOrigins.length > 0) response.setHeader('vary', 'origin')
  if (origin === undefined || !allowOrigins.includes(origin)) return false
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', 'retry-after')
  if (request.method !== 'OPTIONS' || !('access-control-request-method' in request.headers)) return false
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
  })
  response.end()
  return true
}
