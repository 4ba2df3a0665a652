import { type Kysely, sql } from 'kysely'

/** Webhooks, their signing secrets, and what is delivered to them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table webhooks (
      id uuid primary key default gen_random_uuid(),
      url text not null check (url ~ '^https?://'),
      events text[] not null check (cardinality(events) > 0 and events <@ array['JOB_COMPLETED', 'JOB_FAILED',
        'JOB_CANCELLED', 'PROSPECT_CREATED', 'PROSPECT_UPDATED']),
      active boolean not null default true,
      created_by uuid references users (id),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    )`.execute(db)
  await sql`create index webhooks_created on webhooks (created_at, id)`.execute(db)

  // Apart from their rows, so that what reads webhooks never holds a secret.
  await sql`
    create table webhook_secrets (
      webhook_id uuid primary key references webhooks (id) on delete cascade,
      secret bytea not null check (length(secret) between 24 and 64)
    )`.execute(db)

  await sql`
    create table webhook_deliveries (
      id uuid primary key,
      webhook_id uuid not null references webhooks (id) on delete cascade,
      event text not null,
      -- when it happened, not when it was sent
      at timestamptz(3) not null,
      -- what is sent and signed, the same at every try; null once it is over
      body text,
      attempt integer not null default 0 check (attempt >= 0),
      -- of the newest try
      status integer,
      error text,
      -- when it may be tried (again); while a node tries, when it counts as lost there; null: over
      next_attempt_at timestamptz(3)
    )`.execute(db)
  await sql`create index webhook_deliveries_newest on webhook_deliveries (webhook_id, at desc, id desc)`.execute(db)
  await sql`create index webhook_deliveries_due on webhook_deliveries (next_attempt_at)
    where next_attempt_at is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table webhook_deliveries, webhook_secrets, webhooks`.execute(db)
}
