import { type Kysely, sql } from 'kysely'

/**
 * Indexes for what prospects are ordered by and found by (src/db/prospectOrder.ts, src/db/prospectFilter.ts), for the
 * statistics of jobs, and what prospects of counties are ordered by.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The county's place in the list of counties. A county stays the same for a prospect; whoever writes one need not
  // think of it, and whoever writes many may fill it in.
  await sql`alter table prospects add column county_sort text`.execute(db)
  await sql`update prospects p set county_sort = c.state_code || ' ' || lower(c.name)
    from counties c where c.fips = p.county_fips`.execute(db)
  await sql`alter table prospects alter column county_sort set not null`.execute(db)
  await sql`
    create function sort_prospect_by_county() returns trigger language plpgsql as $$
    begin
      select c.state_code || ' ' || lower(c.name) into new.county_sort from counties c where c.fips = new.county_fips;
      return new;
    end $$`.execute(db)
  await sql`
    create trigger prospects_county_sort before insert on prospects
    for each row when (new.county_sort is null) execute function sort_prospect_by_county()`.execute(db)
  await sql`
    create function sort_prospects_of_county() returns trigger language plpgsql as $$
    begin
      update prospects set county_sort = new.state_code || ' ' || lower(new.name) where county_fips = new.fips;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger counties_sort after update of state_code, name on counties
    for each row execute function sort_prospects_of_county()`.execute(db)
  await sql`create index prospects_county_sort on prospects
    (county_sort, (coalesce(auction_date, 'infinity'::date)), id)`.execute(db)

  for (const amount of amounts) {
    await sql`create index ${sql.id(`prospects_${amount}`)} on prospects (${sql.id(amount)}, id)
      where ${sql.id(amount)} is not null`.execute(db)
  }
  for (const number of numbers) {
    // By hash: where a site lists many numbers in one cell, the text is longer than a btree takes.
    await sql`create index ${sql.id(`prospects_${number}`)} on prospects using hash
      (upper(regexp_replace(${sql.id(number)}, '[^A-Za-z0-9]', '', 'g')))
      where ${sql.id(number)} is not null`.execute(db)
  }
  // Words are found by their trigrams. A server may not have the extension, or not let this user create it: then the
  // same search reads every row.
  await sql`
    do $$
    begin
      if exists (select from pg_available_extensions where name = 'pg_trgm') then
        create extension if not exists pg_trgm;
        create index prospects_words on prospects using gin ((
          coalesce(property_address, '') || ' ' || coalesce(city, '') || ' ' || coalesce(zip, '') || ' ' ||
          coalesce(case_number, '') || ' ' || coalesce(case_key, '') || ' ' ||
          coalesce(parcel_id, '') || ' ' || coalesce(parcel_key, '') || ' ' ||
          coalesce(plaintiff, '') || ' ' || coalesce(defendant, '') || ' ' || coalesce(sold_to, '')) gin_trgm_ops);
      end if;
    exception
      when insufficient_privilege or undefined_object then null;
    end $$`.execute(db)

  await sql`create index listings_scrape_url on listings (scrape_url_id, prospect_id) where closed_at is null`.execute(
    db,
  )
  await sql`create index jobs_finished on jobs (finished_at) where finished_at is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index jobs_finished, listings_scrape_url`.execute(db)
  // Others may use the extension: it stays.
  await sql`drop index if exists prospects_words`.execute(db)
  for (const column of [...amounts, ...numbers]) await sql`drop index ${sql.id(`prospects_${column}`)}`.execute(db)
  await sql`drop index prospects_county_sort`.execute(db)
  await sql`drop trigger counties_sort on counties`.execute(db)
  await sql`drop trigger prospects_county_sort on prospects`.execute(db)
  await sql`drop function sort_prospects_of_county, sort_prospect_by_county`.execute(db)
  await sql`alter table prospects drop column county_sort`.execute(db)
}

const amounts = ['final_judgment_amount', 'assessed_value', 'opening_bid', 'sale_amount', 'surplus']
const numbers = ['case_number', 'parcel_id', 'certificate_number', 'auction_id']
