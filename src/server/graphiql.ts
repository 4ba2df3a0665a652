import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'content-encoding': 'gzip',
  'cache-control': 'public, max-age=3600',
  // The page is whole: what it needs is in it, and it talks to this server alone.
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'unsafe-inline' blob:",
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
}

let page: Promise<Buffer> | null = null

/**
 * The GraphiQL page: static, with nothing from a CDN and no schema in it. The key goes into its headers pane. It has
 * nine megabytes, so it is made on the first request and kept compressed.
 */
export async function answerGraphiql(response: ServerResponse): Promise<void> {
  page ??= render()
  response.writeHead(200, headers)
  response.end(await page)
}

async function render(): Promise<Buffer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const html = renderGraphiQL({
    title: 'Gavel',
    endpoint: '/graphql',
    defaultQuery:
      '# Put this into the headers below:\n# {"authorization": "Bearer KEY"}\nquery {\n  viewer {\n    name\n    role\n  }\n}\n',
  })
  return await promisify(gzip)(html)
}
