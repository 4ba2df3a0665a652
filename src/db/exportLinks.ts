import { randomBytes } from 'node:crypto'
import type { Database } from './database.ts'

/** The secret that all nodes sign links to exports with; made when it is not there. */
export async function exportLinkSecret(db: Database): Promise<Buffer> {
  const read = async () => await db.selectFrom('exportLinkSecret').select('secret').executeTakeFirst()
  const known = await read()
  if (known) return known.secret
  await db
    .insertInto('exportLinkSecret')
    .values({ secret: randomBytes(32) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const made = await read()
  if (!made) throw new Error('the secret of export links could not be made')
  return made.secret
}
