import { type Kysely, sql } from 'kysely'

/**
 * Prospects, the listings they were seen as, and every change of them.
 *
 * `case_key` and `parcel_key` are normalised (upper case, letters and digits only); a case's ` (n)` suffix stays in
 * the key. Changes take their position from one counter row, updated as the last statement of a day's transaction:
 * gapless and in commit order, which a sequence is not.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table prospects (
      id uuid primary key default gen_random_uuid(),
      county_fips text not null references counties (fips),
      county_state text not null references states (code),
      case_number text,
      case_suffix text,
      case_key text,
      lot integer not null check (lot >= 1),
      auction_date date,
      starts_at timestamptz(3),
      time_text text,
      auction_status text not null check (auction_status in
        ('SCHEDULED', 'RUNNING', 'SOLD', 'UNSOLD', 'CANCELLED', 'POSTPONED', 'REDEEMED', 'UNKNOWN')),
      auction_status_text text,
      auction_type text not null
        check (auction_type in ('FORECLOSURE', 'TAX_DEED', 'TAX_LIEN', 'SHERIFF_SALE', 'OTHER')),
      auction_type_text text,
      property_address text,
      city text,
      state_code text,
      zip text check (zip ~ '^[0-9]{5}(-[0-9]{4})?$'),
      parcel_id text,
      parcel_key text,
      address_key text,
      legal_description text,
      final_judgment_amount numeric(14, 2),
      plaintiff_max_bid numeric(14, 2),
      assessed_value numeric(14, 2),
      assessed_value_label text,
      opening_bid numeric(14, 2),
      deposit_amount numeric(14, 2),
      sale_amount numeric(14, 2),
      sold_at timestamptz(3),
      sold_to text,
      buyer_type text check (buyer_type in ('THIRD_PARTY', 'PLAINTIFF', 'CERTIFICATE_HOLDER', 'OTHER')),
      surplus numeric(14, 2) generated always as (
        case when auction_status = 'SOLD' then
          case when auction_type in ('TAX_DEED', 'TAX_LIEN')
            then case when opening_bid > 0 then sale_amount - opening_bid end
            else case when final_judgment_amount > 0 then sale_amount - final_judgment_amount end
          end
        end) stored,
      plaintiff text,
      defendant text,
      attorney text,
      certificate_number text,
      sale_number text,
      auction_id text,
      case_url text,
      parcel_url text,
      source_url text not null,
      raw_data jsonb not null,
      listed boolean not null default true,
      delisted_at timestamptz(3),
      last_job_id uuid references jobs (id) on delete set null,
      first_seen_at timestamptz(3) not null default now(),
      last_seen_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now(),
      constraint prospects_listed check (listed = (delisted_at is null)),
      constraint prospects_sold check (auction_status <> 'SOLD' or sale_amount is not null),
      -- deferrable: judged at the end of a statement, so that two prospects may swap their dates in one
      constraint prospects_lot unique nulls not distinct (county_fips, case_key, auction_date, lot) deferrable
    )`.execute(db)
  await sql`create index prospects_date on prospects (auction_date, id)`.execute(db)
  await sql`create index prospects_county_date on prospects (county_fips, auction_date, id)`.execute(db)
  await sql`create index prospects_state_date on prospects (county_state, auction_date, id)`.execute(db)
  await sql`create index prospects_parcel on prospects (county_fips, parcel_key) where parcel_key is not null`.execute(
    db,
  )

  // The highest lot ever used: a lot that moved to another date is not given out again.
  await sql`
    create table prospect_lots (
      county_fips text not null references counties (fips),
      case_key text,
      auction_date date,
      highest integer not null check (highest >= 1),
      unique nulls not distinct (county_fips, case_key, auction_date)
    )`.execute(db)

  await sql`
    create table listings (
      id uuid primary key default gen_random_uuid(),
      prospect_id uuid not null references prospects (id),
      scrape_url_id uuid not null references scrape_urls (id),
      site_key text not null,
      source_key text not null,
      url text not null,
      status_text text,
      -- this listing's own converted fields and raw data: what the merge over all open listings is made of
      fields jsonb not null,
      raw_data jsonb not null,
      case_key text,
      parcel_key text,
      address_key text,
      auction_date date,
      first_seen_at timestamptz(3) not null default now(),
      last_seen_at timestamptz(3) not null default now(),
      delisted_at timestamptz(3),
      -- the site gave its source key to another case, or its prospect another source key
      closed_at timestamptz(3)
    )`.execute(db)
  await sql`create unique index listings_open on listings (site_key, source_key) where closed_at is null`.execute(db)
  await sql`create index listings_prospect on listings (prospect_id, first_seen_at)`.execute(db)
  await sql`create index listings_day on listings (site_key, auction_date) where closed_at is null`.execute(db)

  // Every prospect a job saved, also when a later job saw it again.
  await sql`
    create table job_prospects (
      job_id uuid not null references jobs (id) on delete cascade,
      prospect_id uuid not null references prospects (id),
      primary key (job_id, prospect_id)
    )`.execute(db)

  await sql`
    create table prospect_changes (
      position bigint primary key,
      prospect_id uuid not null references prospects (id),
      county_fips text not null references counties (fips),
      scrape_url_id uuid not null references scrape_urls (id),
      job_id uuid references jobs (id) on delete set null,
      at timestamptz(3) not null default now(),
      kind text not null check (kind in ('CREATED', 'UPDATED', 'DELISTED', 'RELISTED')),
      auction_type text not null,
      -- [{ field, before, after }], named and printed as the API prints them
      fields jsonb not null check (jsonb_typeof(fields) = 'array')
    )`.execute(db)
  await sql`create index prospect_changes_prospect on prospect_changes (prospect_id, position desc)`.execute(db)

  await sql`
    create table prospect_change_counter (
      only_row boolean primary key default true check (only_row),
      position bigint not null
    )`.execute(db)
  await sql`insert into prospect_change_counter (position) values (0)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop table prospect_change_counter, prospect_changes, job_prospects, listings, prospect_lots,
    prospects`.execute(db)
}
