import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Database } from '../db/database.ts'
import { findJob } from '../db/jobs.ts'
import { countiesByFips } from '../db/places.ts'
import { jobCsvName, streamJobCsv } from '../engine/csv.ts'
import type { Exported, ExportLinks } from '../engine/exportLinks.ts'
import type { SignedIn } from '../engine/people.ts'
import { streamProspects } from '../engine/prospectExport.ts'
import { selectionOfLink } from '../schema/exportArgs.ts'
import { watchDrain } from './drain.ts'
import { limits } from './limits.ts'
import type { Sessions } from './sessions.ts'

/** Small enough that a slow client is seen to take something now and then. */
const pieceBytes = 16 * 1024

const types = { csv: 'text/csv; charset=utf-8; header=present', ndjson: 'application/x-ndjson; charset=utf-8' }

/** What a link leads to, not read yet. */
interface File {
  name: string
  type: keyof typeof types
  texts(signal: AbortSignal): AsyncGenerator<string, void, undefined>
}

/**
 * Answers `GET /exports/{token}`: streams the file as fast as the client takes it, and lets go of its database
 * connection when the client leaves. 403 tells nothing of why a link is not good.
 */
export function createExports(options: { db: Database; exportLinks: ExportLinks; sessions: Sessions }) {
  const { db, exportLinks, sessions } = options
  let streaming = 0
  const streamingOf = new Map<string, number>()

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET') {
      refuse(response, 405, 'method not allowed', { allow: 'GET' })
      return
    }
    const [path = ''] = (request.url ?? '').split('?', 1)
    const link = await exportLinks.read(path.slice('/exports/'.length))
    const file = link && (await fileOf(db, link.what))
    if (!file) {
      refuse(response, 403, 'forbidden')
      return
    }
    const holder = link.holder.apiKeyId ?? 'admin key'
    const own = streamingOf.get(holder) ?? 0
    if (streaming >= limits.exportsAtOnce || own >= limits.exportsPerKey) {
      refuse(response, 503, 'busy', { 'retry-after': '10' })
      return
    }
    streaming += 1
    streamingOf.set(holder, own + 1)
    try {
      await send(file, link.holder, sessions, { request, response })
    } finally {
      streaming -= 1
      const left = (streamingOf.get(holder) ?? 1) - 1
      if (left > 0) streamingOf.set(holder, left)
      else streamingOf.delete(holder)
    }
  }
}

/** The file; null when its job is gone, or this version does not take its filter. */
async function fileOf(db: Database, what: Exported): Promise<File | null> {
  if (what.kind === 'job') {
    const job = await findJob(db, what.jobId)
    const [county] = job ? await countiesByFips(db, [job.countyFips]) : []
    if (!job || !county) return null
    const name = jobCsvName(job, { state: county.stateCode, countyName: county.name })
    return { name, type: 'csv', texts: (signal) => streamJobCsv(db, job.id, signal) }
  }
  const selection = selectionOfLink(what)
  if (!selection) return null
  const type = what.format === 'CSV' ? 'csv' : 'ndjson'
  const name = `prospects_${new Date().toISOString().slice(0, 10)}.${type}`
  return { name, type, texts: (signal) => streamProspects(db, selection, what.format, signal) }
}

async function send(
  file: File,
  holder: SignedIn,
  sessions: Sessions,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const endSession = sessions.open(holder, () => response.destroy())
  const drain = watchDrain({ waiting: () => response.writableNeedDrain, drop: () => response.destroy() })
  response.on('drain', () => drain.progressed())
  const texts = file.texts(gone.signal)
  try {
    // What fails before there is anything to send is answered with a status.
    const first = await texts.next()
    const zipped = takesGzip(request.headers['accept-encoding'])
    response.writeHead(200, {
      'content-type': types[file.type],
      'content-disposition': `attachment; filename="${file.name}"`,
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    })
    const pieces = inPieces(first, texts)
    await (zipped ? pipeline(pieces, createGzip(), response) : pipeline(pieces, response))
  } catch (error) {
    if (!hasLeft(error, gone.signal)) throw error
  } finally {
    gone.abort()
    // The connection is free when this is through, whoever ended the stream.
    await texts.return()
    endSession()
    drain.stop()
  }
}

async function* inPieces(first: IteratorResult<string, void>, rest: AsyncGenerator<string, void, undefined>) {
  for (let next = first; !next.done; next = await rest.next()) {
    const bytes = Buffer.from(next.value)
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
  }
}

/** Whether a stream ended because its client was gone, or was dropped. */
function hasLeft(error: unknown, gone: AbortSignal): boolean {
  if (error === gone.reason) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return gone.aborted && ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED', 'ECONNRESET', 'EPIPE'].includes(code)
}

/** Whether an Accept-Encoding names gzip, not with `q=0`. */
function takesGzip(accepted: string | undefined): boolean {
  const codings = (accepted ?? '').split(',').map((one) => one.split(';').map((part) => part.trim().toLowerCase()))
  return codings.some(([coding, weight]) => coding === 'gzip' && !/^q=0(\.0*)?$/.test(weight ?? ''))
}

function refuse(response: ServerResponse, status: number, what: string, headers: Record<string, string> = {}): void {
  const type = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }
  response.writeHead(status, { ...type, ...headers })
  response.end(JSON.stringify({ status: what }))
}
