import type { CalendarDate } from '../../domain.ts'
import { longDate, slashes } from './dates.ts'
import { page } from './html.ts'
import type { SampleDay } from './types.ts'

/**
 * The empty shell of a day: areas and pagers for the page's script to fill, links to the sale days before and after,
 * and the list of the day's ids (null: without the list).
 */
export function previewPage(
  date: CalendarDate,
  days: readonly SampleDay[],
  today: CalendarDate,
  ids: readonly string[] | null,
): string {
  const dates = days.map((day) => day.date)
  const current = dates.find((other) => other >= today) ?? today
  return page({
    title: 'Auction Preview',
    heading: 'Preview Items For Sale',
    script: true,
    content: `<div class="AuctionNav_Main AUTOCENTER">
    <div class="BLHeaderDateDisplay" tabindex="0" >${longDate(date)}</div>
    <div class="BLSRCH"><span class="popup_search">Search</span></div>
    <div class="BLNav">
        ${dayLink(
          'BLHeaderPrev',
          dates.findLast((other) => other < date),
          '&lt &lt Previous Auction',
        )}
        ${dayLink(
          'BLHeaderNext',
          dates.find((other) => other > date),
          'Next Auction &gt &gt',
        )}
        ${dayLink('BLHeaderToday', current, 'Current')}
    </div>
    <div class="AuctionNav_END"></div>
</div>
<div  id="BID_WINDOW_CONTAINER" class="AUTOCENTER">
<div class="Head_R">
<div tabindex="0"  class="Sub_Title">Running Auctions</div>
<div  class="Fadebar"></div>
<div id="Area_R" class="Auct_Area" ref="Y" arid="R">
<div tabindex="0"  class="Loading"></div>
</div>
<table id="FRM_Ano_Auct"><tr><td><p tabindex="0" style="text-align: center;">No case is being auctioned at this moment.</p></td></tr></table>
</div>
\t <div class="Head_W">
\t\t<div tabindex="0"  tabindex="0"  class="Sub_Title">Auctions Waiting</div>
${pagedArea('W')}
\t</div>
<div class="Head_C">
\t<div tabindex="0"  class="Sub_Title">Auctions Closed or Canceled</div>
${pagedArea('C')}
\t<div tabindex="0"  id="popup" style="display:none"></div>
</div>
<div tabindex="0"  class="Bottom_Mark">&nbsp;</div>
</div>
<div tabindex="0"  id="DivBidBox" style="display:none"></div>
${ids ? `<div tabindex="0"  id="ALB" style="display:none">${ids.join(',')}</div>` : ''}`,
  })
}

function dayLink(className: string, date: CalendarDate | undefined, text: string): string {
  const link = date
    ? `<a href="/index.cfm?zaction=AUCTION&zmethod=PREVIEW&AuctionDate=${slashes(date)}">${text}</a>`
    : ''
  return `<div class="${className} BLArrow">${link}</div>`
}

function pagedArea(area: 'W' | 'C'): string {
  return `\t\t<div   class="Fadebar"></div>
${pager(area, 'A')}
        <div   id="Area_${area}" class="Auct_Area" ref="Y" arid="${area}">
        \t<div tabindex="0"  class="Loading"></div>
        </div>
${pager(area, 'B')}`
}

/** Empty until the script fills it; `A` stands above the area, `B` below. */
function pager(area: 'W' | 'C', place: 'A' | 'B'): string {
  const blank = '/CORE/System/Themes/Theme_1/Images/Common/blank.gif'
  return `\t\t<div  class="PageFrame" area="${area}">
\t\t\t<span tabindex="0"class="PageLeft"><img src="${blank}" alt="Previous Page" width="41" height="16" align="absmiddle"  /></span>
\t\t\t<span class="PageText"><span tabindex="0">page </span><input id="curP${area}${place}" aria-label="Current page" type="text" curPG="" /><span tabindex="0">  of </span><span  tabindex="0" aria-label="Total pages" id="max${area}${place}"></span> </span>
\t\t\t<span tabindex="0" class="PageRight"><img src="${blank}" alt="Next Page" width="41" height="16" align="absmiddle" /></span>
\t\t</div>`
}
