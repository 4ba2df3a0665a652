import { readFileSync } from 'node:fs'

export interface Asset {
  contentType: string
  body: Buffer
}

/** Files that the site's pages refer to, by path without case: what a browser fetches unless it is told not to. */
export function findAsset(path: string): Asset | undefined {
  return assets[path.toLowerCase()]
}

const file = (name: string): Buffer => readFileSync(new URL(`./assets/${name}`, import.meta.url))

const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

const theme = '/core/system/themes/theme_1'

const assets: Readonly<Record<string, Asset>> = {
  '/core/system/js/auction.js': { contentType: 'application/javascript', body: file('auction.js') },
  [`${theme}/css/auction.css`]: { contentType: 'text/css', body: file('auction.css') },
  [`${theme}/images/common/blank.gif`]: { contentType: 'image/gif', body: gif },
  [`${theme}/images/common/loading.gif`]: { contentType: 'image/gif', body: gif },
  [`${theme}/images/common/seal.png`]: { contentType: 'image/gif', body: gif },
  // The right type and nothing in it: browsers ask for it and fall back to another font.
  [`${theme}/fonts/auction.woff2`]: { contentType: 'font/woff2', body: Buffer.alloc(0) },
}
