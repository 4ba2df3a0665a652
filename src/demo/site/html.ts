/** Text for an element's content. */
export const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** A link for a double-quoted attribute. Ampersands stay as they are, as the real pages leave them. */
export const escapeHref = (href: string): string => href.replaceAll('"', '&quot;')

/** The white space that templates leave before an answer: 240 bytes without meaning. */
export const padding = '\n\t\n\n    \n\t \n'.repeat(20)

/**
 * A whole page of the site: the head with style and script, the left column with a login form and the vendor's menu
 * (which has a link that reads "Property Appraiser"), the title and the content.
 */
export function page(parts: { title: string; heading: string; content: string; script?: boolean }): string {
  return `${padding}<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">
<html lang="en-US">
<head>
<title>Sample Auctions- Palmetto County -${parts.title}</title>
<link rel="stylesheet" type="text/css" href="/CORE/System/Themes/Theme_1/Css/auction.css" />
${parts.script ? '<script type="text/javascript" src="/CORE/System/JS/auction.js"></script>' : ''}
</head>
<body class="main_text" marginheight="0" marginwidth="0" >
<div id="headerStat" islog="N"></div>
<div id="Header"><img src="/CORE/System/Themes/Theme_1/Images/Common/seal.png" alt="Seal of Palmetto County" width="64" height="64" /></div>
<div id="LeftColumn">
  <form id="LogForm" action="#" onsubmit="return false">
    <label for="LogName">User Name</label> <input id="LogName" type="text" name="LogName" />
    <label for="LogPass">User Password</label> <input id="LogPass" type="password" name="LogPass" />
    <input type="button" id="LogButton" value="Log in" />
  </form>
  <div class="LN_MI"><a href ="/index.cfm?zaction=USER&zmethod=CALENDAR" tabindex="0"><span class="LN_MT">Auction Calendar</span></a></div>
  <div class="LN_MI"><a href ="http://www.palmetto-appraiser.example/search/default.htm" target="_blank" tabindex="0"><span class="LN_MT">Property Appraiser</span></a></div>
  <div class="LN_MI"><a href ="http://www.palmetto-clerk.example/" target="_blank" tabindex="0"><span class="LN_MT">Clerk of Court</span></a></div>
</div>
<div id="Content_Title" tabindex="0">
\t\t<h1>${parts.heading}</h1>
   </div>
${parts.content}
<div id="Footer" tabindex="0">All times are the county's own.</div>
</body>
</html>

`
}
