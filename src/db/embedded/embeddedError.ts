/** The embedded Postgres cannot be had here. The message says why and what mends it. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}
