import type { ServerResponse } from 'node:http'
import type { Database } from '../db/database.ts'
import { type SignedIn, signIn } from '../engine/people.ts'

/** Who an `authorization` value, a header's or a connection parameter's, signs in; null when nobody. */
export type Authenticate = (authorization: unknown) => Promise<SignedIn | null>

export function createAuthenticate({ db, adminKey }: { db: Database; adminKey: string | null }): Authenticate {
  return async (authorization) => {
    if (typeof authorization !== 'string') return null
    const key = /^bearer +(\S{1,500})$/i.exec(authorization.trim())?.[1]
    return key === undefined ? null : await signIn(db, key, adminKey)
  }
}

const refusal = JSON.stringify({
  errors: [
    {
      message: 'A valid API key is required: Authorization: Bearer KEY.',
      extensions: { code: 'UNAUTHENTICATED' },
    },
  ],
})

/** The answer to whoever is not signed in, whatever they asked. */
export function answerUnauthenticated(response: ServerResponse): void {
  response.writeHead(401, { 'content-type': 'application/json; charset=utf-8', 'www-authenticate': 'Bearer' })
  response.end(refusal)
}
