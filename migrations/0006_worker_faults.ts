import { type Kysely, sql } from 'kysely'

/** Why a node does not take all jobs: no worker can be started, or no browser. null: it does. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table worker_nodes add column fault text`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`alter table worker_nodes drop column fault`.execute(db)
}
