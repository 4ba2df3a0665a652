/**
 * What one client may ask for. Beyond these it is refused with a reason; nothing is clamped. How many rows a page may
 * have stands in src/db/pages.ts, how many ids `nodes` takes in src/schema/builder.ts, how long a link to an export may
 * be and how long it is good (an hour) in src/engine/exportLinks.ts.
 */
export const limits = {
  /** Levels of selections in a document, fragments not counted. */
  depth: 12,
  /** Tokens of a document. */
  tokens: 1_000,
  /** Aliases in an operation. */
  aliases: 15,
  /** Directives in an operation. */
  directives: 10,
  /** Rows that an operation could return, nested pages multiplied. */
  cost: 20_000,
  /** Bytes of an HTTP body. */
  bodyBytes: 256 * 1024,
  /** Bytes of a WebSocket message; a larger one closes the socket with 1009. */
  frameBytes: 64 * 1024,
  /** Operations under way on one socket. */
  subscriptionsPerSocket: 50,
  /** Time a socket has for its connection_init; then it is closed with 4408. */
  initWaitMs: 3_000,
  /** How often a socket is pinged; one that has not answered by the next ping is cut. */
  pingMs: 12_000,
  /** A client that takes nothing for so long, although something waits for it, is dropped: a socket with 1013. */
  drainMs: 10_000,
  /** Exports that one node streams at once, each with a database connection; one more is answered with 503. */
  exportsAtOnce: 4,
  /** How often the keys of open sockets and streams are looked at: one that is no longer good closes them with 4403. */
  keyCheckMs: 5_000,
  /** What requests under way get to finish when the server closes, and a socket to answer its close. */
  closeMs: 5_000,
} as const
