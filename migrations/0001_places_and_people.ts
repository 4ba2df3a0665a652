import { type Kysely, sql } from 'kysely'

/** States, counties, scrape URLs, users and API keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table states (
      code text primary key check (code ~ '^[A-Z]{2}$'),
      name text not null unique,
      fips text not null unique check (fips ~ '^[0-9]{2}$')
    )`.execute(db)
  await sql`
    create table counties (
      fips text primary key check (fips ~ '^[0-9]{5}$'),
      state_code text not null references states (code),
      name text not null check (name <> ''),
      timezone text not null
    )`.execute(db)
  await sql`create unique index counties_state_name on counties (state_code, lower(name))`.execute(db)

  await sql`
    create table users (
      id uuid primary key default gen_random_uuid(),
      name text not null check (name <> ''),
      role text not null check (role in ('VIEWER', 'OPERATOR', 'ADMIN')),
      active boolean not null default true,
      created_at timestamptz(3) not null default now()
    )`.execute(db)
  await sql`create unique index users_name on users (lower(name))`.execute(db)
  await sql`
    create table api_keys (
      id uuid primary key default gen_random_uuid(),
      user_id uuid not null references users (id),
      name text not null check (name <> ''),
      prefix text not null,
      hash bytea not null unique check (length(hash) = 32),
      created_at timestamptz(3) not null default now(),
      last_used_at timestamptz(3),
      expires_at timestamptz(3),
      revoked_at timestamptz(3)
    )`.execute(db)
  await sql`create index api_keys_user on api_keys (user_id, created_at desc)`.execute(db)

  await sql`
    create table scrape_urls (
      id uuid primary key default gen_random_uuid(),
      county_fips text not null references counties (fips),
      url text not null check (url ~ '^https?://'),
      platform text not null check (platform in ('REALAUCTION', 'CIVILVIEW', 'HTML_TABLE')),
      -- the tenant behind the URL: what listings belong to and what jobs wait for
      site_key text not null,
      auction_type text check (auction_type in ('FORECLOSURE', 'TAX_DEED', 'TAX_LIEN', 'SHERIFF_SALE', 'OTHER')),
      transport text not null default 'AUTO' check (transport in ('AUTO', 'HTTP', 'BROWSER')),
      timezone text,
      active boolean not null default true,
      options jsonb not null default '{}' check (jsonb_typeof(options) = 'object'),
      last_scraped_at timestamptz(3),
      created_by uuid references users (id),
      updated_by uuid references users (id),
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint scrape_urls_site unique (platform, site_key)
    )`.execute(db)
  await sql`create index scrape_urls_county on scrape_urls (county_fips, created_at)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table scrape_urls, api_keys, users, counties, states`.execute(db)
}
