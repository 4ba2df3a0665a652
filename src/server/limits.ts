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
  /** Operations under way on one socket; one more is refused, the others go on. */
  subscriptionsPerSocket: 50,
  /**
   * Sockets, streams of events and other answers under way on one node, whosever they are: one more is answered with
   * 503.
   */
  openAtOnce: 10_000,
  /** The same of one key: one more request is answered with 429, one more socket closed with 1013. */
  openPerKey: 1_000,
  /** Requests and upgrades from one address, an IPv6 network of 64 bits counting as one; more are answered with 429. */
  requestsPerAddress: { perSecond: 2_000, burst: 4_000 },
  /** Operations of one key on one node: more are answered with 429, on a socket with an error that closes nothing. */
  operationsPerKey: { perSecond: 500, burst: 1_000 },
  /** Messages from one socket; more close it with 1008. */
  messagesPerSocket: { perSecond: 200, burst: 400 },
  /** Messages of one socket that wait for their answers to be taken; until then no more are read from it. */
  messagesAtOnce: 100,
  /** What one statement of an operation may take in the database, which then cancels it. */
  statementMs: 30_000,
  /** Time a socket has for its connection_init; then it is closed with 4408. */
  initWaitMs: 3_000,
  /** How often a socket is pinged; one that has not answered by the next ping is cut. */
  pingMs: 12_000,
  /** A client that takes nothing for so long, although something waits for it, is dropped: a socket with 1013. */
  drainMs: 10_000,
  /** Exports that one node streams at once, each with a database connection; one more is answered with 503. */
  exportsAtOnce: 4,
  /** Of them, for one key: a slow reader does not keep the others from theirs. */
  exportsPerKey: 2,
  /** How long an answer of /health/ready holds. */
  readyMs: 1_000,
  /** How often the keys of open sockets and streams are looked at: one that is no longer good closes them with 4403. */
  keyCheckMs: 5_000,
  /** What requests under way get to finish when the server closes, and a socket to answer its close. */
  closeMs: 5_000,
} as const
