import { sql, type Updateable } from 'kysely'
import type { Role } from '../domain.ts'
import type { Database } from './database.ts'
import type { Tables, UserRow } from './tables.ts'
import { isViolationOf } from './violations.ts'

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

/** Changes a user; null when there is none, 'taken' when another has the name. */
export async function updateUser(
  db: Database,
  id: string,
  change: Pick<Updateable<Tables['users']>, 'name' | 'role' | 'active'>,
): Promise<UserRow | 'taken' | null> {
  try {
    const row = await db.updateTable('users').set(change).where('id', '=', id).returningAll().executeTakeFirst()
    return row ?? null
  } catch (error) {
    if (isViolationOf(error, 'users_name')) return 'taken'
    throw error
  }
}
