import { sql } from 'kysely'
import type { Role } from '../domain.ts'
import type { Database } from './database.ts'
import type { UserRow } from './tables.ts'

export async function allUsers(db: Database): Promise<UserRow[]> {
  return await db.selectFrom('users').selectAll().orderBy(sql`lower(name)`).execute()
}

export async function usersById(db: Database, ids: readonly string[]): Promise<UserRow[]> {
  return await db
    .selectFrom('users')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** A user by name, without case. */
export async function userByName(db: Database, name: string): Promise<UserRow | null> {
  const row = await db
    .selectFrom('users')
    .selectAll()
    .where(sql`lower(name)`, '=', sql`lower(${name})`)
    .executeTakeFirst()
  return row ?? null
}

/** Makes a user; null when there is one of that name. */
export async function insertUser(db: Database, name: string, role: Role): Promise<UserRow | null> {
  const row = await db
    .insertInto('users')
    .values({ name, role })
    .onConflict((conflict) => conflict.expression(sql`lower(name)`).doNothing())
    .returningAll()
    .executeTakeFirst()
  return row ?? null
}
