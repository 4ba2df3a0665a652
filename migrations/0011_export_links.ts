import { type Kysely, sql } from 'kysely'

/** What links to exports are signed with, the same on all nodes. Whoever deletes the row ends every link. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table export_link_secret (
      only_row boolean primary key default true check (only_row),
      secret bytea not null check (length(secret) = 32)
    )`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table export_link_secret`.execute(db)
}
