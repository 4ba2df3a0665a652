import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { stillUsable } from '../db/apiKeys.ts'
import type { Database } from '../db/database.ts'
import { exportLinkSecret } from '../db/exportLinks.ts'
import { usersById } from '../db/users.ts'
import { exportFormats } from '../domain.ts'
import type { SignedIn } from './people.ts'

/** How long a link is good. */
export const linkLifetimeMs = 60 * 60_000

/** A longer link is not made: it stands in the first line of a request, and servers and proxies bound that. */
export const maxTokenLength = 6_000

/** What a link leads to. The filter and the order are as a client gave them, in JSON. */
const exported = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('job'), jobId: z.uuid() }),
  z.strictObject({
    kind: z.literal('prospects'),
    format: z.enum(exportFormats),
    filter: z.unknown(),
    orderBy: z.unknown(),
  }),
])
export type Exported = z.infer<typeof exported>

const claims = z.strictObject({
  what: exported,
  /** Whose link it is. */
  user: z.uuid(),
  /** null: GAVEL_ADMIN_KEY. */
  key: z.uuid().nullable(),
  /** Epoch seconds. */
  expires: z.int(),
})

/** Makes and reads the tokens of links: `{claims}.{signature}`, base64url of JSON and of its HMAC-SHA256. */
export interface ExportLinks {
  /** A token for each export, good until `expiresAt`; null where it would be longer than maxTokenLength. */
  sign(holder: SignedIn, what: readonly Exported[]): Promise<{ tokens: (string | null)[]; expiresAt: Date }>
  /** What a token leads to, and whose it is; null when it is forged or expired, or its key is no longer good. */
  read(token: string): Promise<{ what: Exported; holder: SignedIn } | null>
}

/**
 * Every node reads what any other has signed: the secret is in the database. Links of GAVEL_ADMIN_KEY are signed with
 * that key as well, so that they end with it.
 */
export function createExportLinks({ db, adminKey }: { db: Database; adminKey: string | null }): ExportLinks {
  function signature(secret: Buffer, claimed: string, key: string | null): Buffer {
    return createHmac('sha256', secret)
      .update(key === null ? `${claimed}.${adminKey}` : claimed)
      .digest()
  }

  return {
    async sign(holder, what) {
      const secret = await exportLinkSecret(db)
      const expires = Math.floor((Date.now() + linkLifetimeMs) / 1000)
      const { user, apiKeyId: key } = holder
      const tokens = what.map((one) => {
        const json = JSON.stringify({ what: one, user: user.id, key, expires } satisfies z.infer<typeof claims>)
        const claimed = Buffer.from(json).toString('base64url')
        const token = `${claimed}.${signature(secret, claimed, key).toString('base64url')}`
        return token.length <= maxTokenLength ? token : null
      })
      return { tokens, expiresAt: new Date(expires * 1000) }
    },

    async read(token) {
      if (token.length > maxTokenLength) return null
      const [, claimed, signed] = /^([\w-]+)\.([\w-]{43})$/.exec(token) ?? []
      if (claimed === undefined || signed === undefined) return null
      const read = claims.safeParse(jsonOf(claimed))
      if (!read.success) return null
      const { what, user: userId, key, expires } = read.data
      if (key === null && adminKey === null) return null
      const expected = signature(await exportLinkSecret(db), claimed, key)
      if (!timingSafeEqual(expected, Buffer.from(signed, 'base64url')) || expires * 1000 <= Date.now()) return null
      const [user] = await usersById(db, [userId])
      if (!user?.active || (key !== null && !(await stillUsable(db, [key])).has(key))) return null
      return { what, holder: { user, apiKeyId: key, expiresAt: null } }
    },
  }
}

/** The JSON in a part of a token; undefined when it holds none. */
function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
