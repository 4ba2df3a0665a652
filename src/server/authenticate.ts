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
