import type { ServerResponse } from 'node:http'

/** The answer to whoever is not signed in, whatever they asked. */
export function answerUnauthenticated(response: ServerResponse): void {
  const message = 'A valid API key is required: Authorization: Bearer KEY.'
  answer(response, 401, { 'www-authenticate': 'Bearer' }, { message, extensions: { code: 'UNAUTHENTICATED' } })
}

/** The answer to more than this node, an address or a key may ask for; `seconds` later there is room again. */
export function answerRateLimited(
  response: ServerResponse,
  refusal: { status: 429 | 503; message: string; seconds: number },
): void {
  const { status, message, seconds } = refusal
  const headers = { 'retry-after': String(seconds) }
  answer(response, status, headers, { message, extensions: rateLimited(seconds) })
}

/** What every refusal of this kind says, on whatever way it goes. */
export function rateLimited(retryAfterSeconds: number) {
  return { code: 'RATE_LIMITED', retryAfterSeconds }
}

function answer(response: ServerResponse, status: number, headers: Record<string, string>, error: object): void {
  const type = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
  response.writeHead(status, { ...type, ...headers })
  response.end(JSON.stringify({ errors: [error] }))
}
