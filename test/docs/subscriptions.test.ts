import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

const files = {
  webSocket: 'test/server/webSocket.test.ts',
  protocol: 'test/server/webSocketProtocol.test.ts',
  admission: 'test/server/admission.test.ts',
  feeds: 'test/server/feeds.test.ts',
  slowClients: 'test/server/slowClients.test.ts',
  subscriptions: 'test/server/subscriptions.test.ts',
  events: 'test/engine/events.test.ts',
  jobFeed: 'test/engine/jobFeed.test.ts',
  prospectFeed: 'test/engine/prospectFeed.test.ts',
  batchEvents: 'test/engine/batchEvents.test.ts',
  changes: 'test/db/prospectChanges.test.ts',
  batches: 'test/resolvers/jobBatches.test.ts',
  keyLife: 'test/server/keyLife.test.ts',
  clients: 'test/e2e/clients.test.ts',
  watch: 'test/e2e/watch.test.ts',
  progress: 'test/engine/progress.test.ts',
  roles: 'test/server/roles.test.ts',
  saveDay: 'test/db/saveDay.test.ts',
}

/**
 * Every sentence of docs/subscriptions.md by its part, with the tests that hold it: their file, and their title as it
 * stands there. None: it promises nothing, but says what a client should do or what things are for.
 */
const held: Record<string, Record<string, [file: string, title: string][]>> = {
  Subscriptions: {
    'Subscriptions run at `/graphql`, over WebSocket with the subprotocol `graphql-transport-ws` and over HTTP as server-sent events.':
      [[files.roles, 'each subscription takes its role:']],
    'What follows is a contract: clients may rely on it.': [],
  },
  Connecting: {
    'WebSocket: the key goes into `connection_init`\'s payload, `{ "authorization": "Bearer KEY" }`.': [
      [
        files.webSocket,
        'tells the job as it stands at once, then every change of status, and completes when it is terminal',
      ],
    ],
    'Without a valid key the socket is closed with 4403.': [[files.webSocket, 'a key without Bearer']],
    'One socket carries at most 50 operations at once.': [
      [files.webSocket, 'the 51st operation at once is refused, the others go on'],
    ],
    'Server-sent events: POST the subscription with `Accept: text/event-stream` and `Authorization: Bearer KEY`.': [
      [files.webSocket, 'over server-sent events it is the same, and a client that leaves is forgotten'],
    ],
    'Without a valid key the answer is 401.': [
      [files.subscriptions, 'a stream of events without a valid key is answered with 401'],
    ],
  },
  '`jobStatus(jobId, afterSequence)`': {
    'The first message is the job as it stands now (`kind: SNAPSHOT`), whatever its status.': [
      [files.events, 'tells the job as it stands at once, then every change, and ends with the terminal one'],
      [files.events, 'tells a finished job and ends, also to one who has seen its end'],
    ],
    'There is no gap between submitting and subscribing: what happened before is in the snapshot.': [
      [files.watch, 'is seen from PENDING to COMPLETED %s'],
    ],
    'Then a message for every change that has not been overtaken by a newer one.': [
      [files.events, 'tells the job as it stands at once, then every change, and ends with the terminal one'],
    ],
    '`sequence` grows from message to message of one job, across attempts, nodes and restarts.': [
      [files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap'],
      [files.events, 'goes on where a finished job was run again'],
      [files.jobFeed, 'a change on any node is told to the subscribers of every other, in order'],
    ],
    'A message whose sequence is not greater than the last one you saw need not be looked at.': [],
    'A slow client misses intermediate progress.': [
      [files.events, 'tells a slow reader every change of status and the newest state, but not each step between'],
    ],
    'It never misses the newest state, and never a change of status.': [
      [files.events, 'tells a slow reader every change of status and the newest state, but not each step between'],
    ],
    'Progress comes at most about four times a second for one job.': [
      [files.progress, 'progress is told at most four times a second, the newest included'],
    ],
    'The stream completes after the message in which the job is COMPLETED, FAILED or CANCELLED.': [
      [
        files.webSocket,
        'tells the job as it stands at once, then every change of status, and completes when it is terminal',
      ],
    ],
    'Subscribing to a finished job gives one message and completes.': [
      [files.events, 'tells a finished job and ends, also to one who has seen its end'],
    ],
    'A job that is waiting for an automatic retry is PENDING with `nextAttemptAt` set: the stream goes on.': [
      [files.subscriptions, 'a job that waits for its retry is PENDING with nextAttemptAt, and the stream goes on'],
    ],
    'An unknown job is refused with `extensions.code` NOT_FOUND.': [
      [files.webSocket, 'a job that is not there: NOT_FOUND'],
    ],
    'A job that is deleted while it is watched ends with a message of `kind: DELETED`.': [
      [files.events, 'tells that the job was deleted, and ends'],
    ],
    '**Resuming.** Keep the last `sequence`.': [],
    'Subscribe again with `afterSequence` set to it: the changes of status after it are told first, in order.': [
      [files.events, 'tells the changes of status after a sequence first'],
      [files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap'],
    ],
    'Then, or when there are none, comes the job as it stands, then live changes.': [
      [files.events, 'goes on where a finished job was run again'],
      [files.watch, 'tells who has seen its end that end alone, and completes'],
    ],
  },
  '`jobLog(jobId, afterLine)`': {
    'Lines are numbered 1, 2, 3 ... over all attempts of the job, without a gap.': [
      [files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap'],
    ],
    'Every line after `afterLine` (0: from the first) comes exactly once, in order, in batches: old ones first, then live.':
      [[files.events, 'tells old lines, then live ones, none lost and none twice, and ends with a terminal job']],
    'None is lost, none comes twice, however slow the client is.': [
      [files.slowClients, 'is killed and resumes gets every log line once'],
    ],
    '`lastLine` of a batch is the number of its last line.': [
      [files.events, 'tells many lines in batches of at most 500'],
    ],
    'The stream completes after the last line of a terminal job.': [
      [files.events, 'tells old lines, then live ones, none lost and none twice, and ends with a terminal job'],
    ],
    '**Resuming.** Subscribe again with `afterLine` set to the last `lastLine` you got.': [
      [files.slowClients, 'and does not drain is dropped with 1013, and resumes where it was'],
      [files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap'],
    ],
  },
  '`batchStatus(batchId)`': {
    'The first message is the batch as it stands now; one that is done gives one message and completes.': [
      [files.batchEvents, 'tells the batch as it stands, then every change, and ends when it is done'],
      [files.batchEvents, 'tells a batch that is done once'],
    ],
    'Then a message whenever its counts have changed, at most about four times a second: changes that fall together are told together.':
      [[files.batchEvents, 'tells many changes at once together, and a slow reader the newest state alone']],
    'A slow client misses what is between, never the newest state.': [
      [files.batchEvents, 'tells many changes at once together, and a slow reader the newest state alone'],
    ],
    'The stream completes after the message in which every job of the batch is terminal (`done: true`).': [
      [files.batches, 'over WebSocket: the batch as it stands, then its changes, complete when it is done'],
    ],
    'A batch gets no further jobs once it is made.': [
      [files.batches, 'of held jobs is released as another one; a job names its batches newest first'],
    ],
    'A job that is deleted leaves it.': [[files.batchEvents, 'goes on without a job that is deleted']],
    'An unknown batch is refused with `extensions.code` NOT_FOUND.': [
      [files.batches, 'of a batch that is not there: NOT_FOUND'],
    ],
    'There is nothing to resume: subscribe again.': [],
  },
  '`jobUpdates(filter, snapshot)`': {
    'What a dashboard watches.': [],
    'It has no end.': [
      [files.feeds, 'jobUpdates tells what matches now where it is asked to, then what changes, and never completes'],
    ],
    'A message of `kind: CHANGED` comes for every change of a job that matches the filter before the change or after it.':
      [[files.jobFeed, 'a job that was changed several times before it was read is judged at each change']],
    'A job that leaves the filter is told once more, in the state in which it no longer matches, and then no longer.': [
      [files.jobFeed, 'a job that leaves the filter is told once more, and then no longer'],
    ],
    'With `snapshot: true` the jobs that match now come first, as `kind: SNAPSHOT`: the newest by their creation, at most 200.':
      [[files.jobFeed, 'a snapshot tells the newest jobs that match, at most 200, and then what changes']],
    'Beyond those, page through the query `jobs`.': [],
    "A deleted job is told once, as `kind: DELETED`, to whoever's filter it matched; `job` is null then.": [
      [files.subscriptions, 'tells a deleted job once, without the job'],
      [files.jobFeed, 'a deleted job is told as DELETED to those whose filter it matched'],
    ],
    '`sequence` grows from message to message of one job.': [
      [files.jobFeed, 'a change on any node is told to the subscribers of every other, in order'],
    ],
    'Messages of different jobs come in no order of their own.': [],
    'A slow client misses intermediate progress.': [
      [
        files.jobFeed,
        'a reader that stalls is told every change of status and the newest state, and holds no queue meanwhile',
      ],
    ],
    'It never misses the newest state of a job, and never a change of status: all that is kept for it is the number of every job that has changed since it was last told.':
      [
        [
          files.jobFeed,
          'a reader that stalls is told every change of status and the newest state, and holds no queue meanwhile',
        ],
      ],
    'Filters are judged as the query `jobs` judges them, by the job as it was at each change.': [
      [files.jobFeed, 'agree with those of the list of jobs'],
      [files.jobFeed, 'a released and a renamed job leave filters for held jobs and names'],
    ],
    'Its errors and batches count as they are when the change is told.': [
      [files.subscriptions, 'counts the errors and batches of a job as they are when a change is told'],
    ],
    '**Resuming.** There is no cursor.': [],
    'Subscribe again with `snapshot: true`, and forget what the snapshot does not hold.': [
      [files.jobFeed, 'a snapshot tells the newest jobs that match, at most 200, and then what changes'],
    ],
  },
  '`prospectChanges(filter, after)`': {
    'Every change of a prospect from now on, or after the cursor `after`, one a message: in the order in which they were committed, across jobs and nodes.':
      [
        [
          files.prospectFeed,
          'tells what is saved from now on, in the order of the commits, none lost and none twice, on every node',
        ],
        [files.prospectFeed, 'goes on after a cursor, however far behind, and then live'],
      ],
    'None is lost, none comes twice, however slow the client is.': [
      [files.prospectFeed, 'a reader that stalls has one page in hand, and gets the rest when it goes on'],
    ],
    'It has no end.': [
      [
        files.subscriptions,
        'prospectChanges tells the prospect as it now is, no job once that is deleted, and goes on without end',
      ],
    ],
    'The filter is judged on the change as it was stored, not on the prospect as it is now.': [
      [files.changes, '%s: the same in the list, for a reader that is behind, and in memory'],
    ],
    'A CREATED change lists every field with a value as changed from null: `statusTo: [SOLD]` also finds what was first seen as sold.':
      [
        [files.saveDay, 'is saved with its prospects, history, report, log line and counters'],
        [files.changes, 'a status it got'],
      ],
    '`statusFrom` and `statusTo` given together ask for one change from one of those to one of these.': [
      [files.changes, 'both'],
    ],
    '`prospect` and `job` of a message are as they stand when it is sent; `job` is null once it is deleted.': [
      [
        files.subscriptions,
        'prospectChanges tells the prospect as it now is, no job once that is deleted, and goes on without end',
      ],
    ],
    'A cursor with changes after it that are no longer kept is refused with `extensions.code` CURSOR_EXPIRED; a stream that falls so far behind ends with it.':
      [
        [files.feeds, 'a cursor older than what is kept: CURSOR_EXPIRED, at once and in the middle of a stream'],
        [files.prospectFeed, 'a reader whose changes are deleted before it comes to them is told so'],
      ],
    'Read the prospects anew then, and subscribe from now on.': [],
    '**Resuming.** Subscribe again with `after` set to the `cursor` of the last change you got.': [
      [files.feeds, 'prospectChanges tells changes as they were stored, with the cursors that the list has'],
    ],
    'The query `prospectChanges` gives the same changes in pages, and Prospect.changes those of one prospect: their cursors are the same.':
      [[files.changes, 'has the cursors of every other list of changes, and of the changes themselves']],
  },
  'How a stream ends': {
    '| `complete` | the job is done (above) | nothing |': [
      [
        files.webSocket,
        'tells the job as it stands at once, then every change of status, and completes when it is terminal',
      ],
    ],
    '| `error` with `extensions.code` | the operation was refused: BAD_USER_INPUT, NOT_FOUND, RATE_LIMITED ... | mend the operation |':
      [
        [files.webSocket, 'a job that is not there: NOT_FOUND'],
        [files.webSocket, 'a document that is refused closes nothing'],
      ],
    '| close 4400, 4401, 4406, 4408, 4409, 4429 | the protocol was broken: bad message, subscribe before the acknowledgement, no common subprotocol, no `connection_init` in time, an operation id twice, a second `connection_init` | mend the client |':
      [
        [files.protocol, 'subscribe without a query'],
        [files.protocol, 'subscribe before the acknowledgement: 4401'],
        [files.protocol, 'no subprotocol: 4406'],
        [files.protocol, 'no connection_init in time: 4408'],
        [files.protocol, 'an id that is in use: 4409'],
        [files.protocol, 'a second connection_init after the acknowledgement: 4429'],
      ],
    '| close 1009 | a message of more than 64 KB | mend the client |': [
      [files.protocol, 'a message of more than 64 KB: 1009'],
    ],
    '| close 1008 | more than 200 messages a second, beyond a burst of 400 | mend the client |': [
      [files.admission, 'beyond their rate close it with 1008, before anybody signed in too'],
    ],
    '| close 4403 | the key is unknown, revoked or expired; also while the socket is open | connect with a valid key |':
      [
        [files.webSocket, 'an unknown key'],
        [files.keyLife, 'loses its open sockets with 4403, idle or watching'],
      ],
    '| `error` with CURSOR_EXPIRED | the changes after the cursor are no longer kept | read anew |': [
      [files.feeds, 'a cursor older than what is kept: CURSOR_EXPIRED, at once and in the middle of a stream'],
    ],
    '| close 1001 | the node is shutting down | connect again and resume |': [
      [files.subscriptions, 'a node that shuts down closes its sockets with 1001'],
    ],
    '| close 1013 | the client has taken nothing for 10 s although something waited for it; a stream of events is cut | connect again and resume |':
      [
        [files.slowClients, 'and does not drain is dropped with 1013, and resumes where it was'],
        [files.slowClients, 'over server-sent events costs no memory either, and is cut'],
      ],
    '| close 1013 at the acknowledgement, 429 or 503 before it | too many sockets and streams are open, of this key or in all, or too many requests came | wait, connect again and resume |':
      [
        [files.admission, 'of one key, sockets and streams together: one more is refused until one has left'],
        [files.admission, 'of all, sockets that nobody signed in on too: one more is refused with 503'],
        [files.admission, 'are refused with 429, whoever asks and for what; how the node is, is always told'],
      ],
    '| close 1006 | the client has not answered a ping, which comes every 12 s, by the next one | connect again and resume |':
      [[files.slowClients, 'a half-open socket, which answers no ping, is cut']],
    '| any other close, or a broken connection | the network, or a node that died | connect again and resume |': [
      [files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap'],
    ],
    'With the `graphql-ws` client, resuming after a retry means to give the last sequence along:': [
      [files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap'],
    ],
    'Apollo Client (GraphQLWsLink) and urql (subscriptionExchange) keep variables of their own.': [
      [files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap'],
    ],
    'Give their `graphql-ws` client `retryAttempts: 0`: a lost connection then reaches the subscription as an error, and you subscribe again with the last sequence.':
      [[files.clients, 'a user submits a job, watches it, loses the connection, and resumes without a gap']],
  },
}

/** The sentences of a document by the heading they stand under; a row of a table is one. */
function sentencesOf(document: string): { part: string; sentence: string }[] {
  let part = ''
  const blocks = document.replaceAll(/```.*?```/gs, '').split(/\n(?=#|\n|- |\d+\. |\|)/)
  return blocks.flatMap((block) => {
    const text = block.trim().replaceAll(/\s+/g, ' ')
    if (text.startsWith('#')) part = text.replace(/^#+ /, '')
    if (text === '' || text.startsWith('#') || /^\|( what you see|---)/.test(text)) return []
    const sentences = text.replace(/^(- |\d+\. )/, '').split(/(?<=\.) (?=[A-Z`])/)
    return sentences.map((sentence) => ({ part, sentence }))
  })
}

test('every sentence of the contract of subscriptions stands here, with the tests that hold it', () => {
  const known = Object.entries(held).flatMap(([part, sentences]) =>
    Object.keys(sentences).map((sentence) => ({ part, sentence })),
  )
  expect(known).toEqual(sentencesOf(read('docs/subscriptions.md')))
})

test('every test that is named here is there', () => {
  const named = Object.values(held).flatMap((sentences) => Object.values(sentences).flat())
  expect(named.length).toBeGreaterThan(70)
  const gone = named.filter(([file, title]) => !read(file).includes(`'${title}'`))
  expect(gone).toEqual([])
})
