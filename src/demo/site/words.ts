/** Names for invented properties. No town, street or number here is a real one on purpose. */

export interface Town {
  name: string
  zip: string
}

export const towns: Readonly<Record<'FL' | 'OH' | 'PA' | 'TX', readonly Town[]>> = {
  FL: [
    { name: 'MARLOW SPRINGS', zip: '32991' },
    { name: 'PORT ELLERY', zip: '33998' },
    { name: 'LAKE TAMSIN', zip: '34995' },
    { name: 'OKA-LUMEE', zip: '33094' },
    { name: 'SAINT HOLLIS BEACH', zip: '32190' },
    { name: 'Cypress Fork', zip: '34390' },
  ],
  OH: [
    { name: 'NORTH BRAMLEY', zip: '45199' },
    { name: 'COALRIDGE', zip: '44599' },
    { name: 'MILLER HEIGHTS', zip: '43998' },
  ],
  PA: [
    { name: 'ASHBY TOWNSHIP', zip: '16299' },
    { name: 'FORT CALDER', zip: '15199' },
  ],
  TX: [
    { name: 'LLANO VERDE', zip: '76999' },
    { name: 'PECAN CROSSING', zip: '75499' },
  ],
}

export const streets: readonly string[] = [
  'N OLEANDER PASS RD',
  'SANDPIPER HOLLOW DR',
  'OLD FERRY TRACE',
  'SW 314TH TER',
  'QUAIL THICKET LN',
  'E BAREFOOT BAYOU BLVD',
  'KESTREL RUN',
  'TUPELO BEND CT',
  'W 9TH AVE',
  'COUNTY ROAD 677A',
  'GRACKLE WAY',
  'HIDDEN LANTERN LOOP',
  "O'DELL MILL RD",
  'PINE & PALM CIR',
]

/** What stands in an address line where the land has no address. */
export const withoutAddress: readonly string[] = [
  'NO SITUS',
  'UNASSIGNED LOCATION',
  'NOT ASSIGNED',
  'NO ADDRESS ON FILE',
  '0 HERON MARSH RD',
]

/** What stands in a parcel cell where a sale has no parcel of its own. */
export const withoutParcel: readonly string[] = [
  'TIMESHARE',
  'MULTIPLE PARCELS',
  'CONFIDENTIAL',
  'LIQUOR LICENSE',
  'MOBILE HOME',
  'SEE FINAL JUDGMENT',
  '0',
  '',
]
