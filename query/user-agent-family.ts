/**
 * The family of a user agent: what product calls, without version, system and comments. An expression over events for
 * filters, facets and groups, and the same over one text for the events of a page, where the engine would work it out for all it reads; what is stored stays as it came, and a longer list says more of old events too.
 */

/** What calls itself Mozilla, as browsers and most crawlers do, is whichever of these stands in it, upper or lower case; the first one counts. */
export const families: readonly (readonly [family: string, ...words: readonly string[]])[] = [
  // Crawlers of search, archives and models
  ['Googlebot', 'googlebot'],
  ['AdsBot-Google', 'adsbot-google'],
  ['Google-InspectionTool', 'google-inspectiontool'],
  ['GoogleOther', 'googleother'],
  ['bingbot', 'bingbot', 'bingpreview', 'adidxbot'],
  ['Yahoo Slurp', 'yahoo! slurp'],
  ['DuckDuckBot', 'duckduckbot'],
  ['Baiduspider', 'baiduspider'],
  ['YandexBot', 'yandex.com/bots'],
  ['Applebot', 'applebot'],
  ['SeznamBot', 'seznambot'],
  ['PetalBot', 'petalbot'],
  ['GPTBot', 'gptbot'],
  ['ChatGPT-User', 'chatgpt-user'],
  ['OAI-SearchBot', 'oai-searchbot'],
  ['ClaudeBot', 'claudebot'],
  ['Claude-User', 'claude-user', 'claude-searchbot'],
  ['PerplexityBot', 'perplexitybot', 'perplexity-user'],
  ['Bytespider', 'bytespider'],
  ['Amazonbot', 'amazonbot'],
  ['archive.org_bot', 'archive.org_bot', 'heritrix'],
  ['AhrefsBot', 'ahrefsbot'],
  ['SemrushBot', 'semrushbot'],
  ['MJ12bot', 'mj12bot'],
  ['DotBot', 'dotbot'],
  ['DataForSeoBot', 'dataforseobot'],
  // Previews of links
  ['Discordbot', 'discordbot'],
  ['Pinterestbot', 'pinterestbot'],
  // Watchers
  ['UptimeRobot', 'uptimerobot'],
  ['Pingdom', 'pingdom'],
  ['StatusCake', 'statuscake'],
  ['Site24x7', 'site24x7'],
  ['Datadog', 'datadog'],
  ['New Relic', 'newrelic'],
  // Scanners
  ['CensysInspect', 'censysinspect'],
  ['zgrab', 'zgrab'],
  ['Nmap', 'nmap scripting engine'],
  ['Nikto', 'nikto'],
  ['Nessus', 'nessus'],
  ['InternetMeasurement', 'internet-measurement.com'],
  // Tools
  ['PowerShell', 'powershell/'],
  ['WinHTTP', 'winhttp'],
  ['Postman', 'postman'],
  ['Headless Chrome', 'headlesschrome/'],
  ['PhantomJS', 'phantomjs/'],
  ['Electron', 'electron/'],
  ['Other crawler', 'bot/', 'bot;', 'bot)', 'crawler', 'spider', '+http'],
  // Browsers, those first that also call themselves another one
  ['Edge', 'edg/', 'edga/', 'edgios/', 'edge/'],
  ['Opera', 'opr/', 'opt/'],
  ['Samsung Internet', 'samsungbrowser/'],
  ['Yandex Browser', 'yabrowser/'],
  ['Vivaldi', 'vivaldi/'],
  ['UC Browser', 'ucbrowser/'],
  ['Firefox', 'firefox/', 'fxios/'],
  ['Chrome', 'chrome/', 'crios/', 'chromium/'],
  ['Android Browser', 'android'],
  ['Safari', 'safari/', 'applewebkit/'],
  ['Internet Explorer', 'msie ', 'trident/'],
  ['Other', 'mozilla/'],
];

/**
 * What calls itself anything else is the name in front: `okhttp/4.12.0`, `node`, `APIs-Google (+https://…)`, `Faraday v2.7`; in
 * words of letters, each with two digits at most. Not the first word of a sentence and no longer number: people and
 * devices put names and keys there, and whoever may not see the agent sees its family.
 */
const word = '[A-Za-z]{1,20}[0-9]{0,2}';
const name = String.raw`^(?:Python/[0-9.]+ )?(Amazon CloudFront$|${word}(?:[._-]${word}){0,5})(?:[/;]|$| \(| v?[0-9])`;

const inFront = new RegExp(name);
const pairs = families.flatMap(([family, ...words]) => words.map((word) => ({ family, word })));

/** '' without a user agent, else never empty. */
export function familyOf(agent: string): string {
  if (agent === '') return '';
  if (!agent.startsWith('Mozilla/')) return inFront.exec(agent)?.[1] ?? 'Other';
  const lower = agent.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()); // of other letters the engine takes no case
  return pairs.find(({ word: part }) => lower.includes(part))?.family ?? 'Other';
}

/** Through a dictionary: a block of events has few agents, and the search then runs once for each of them. */
const agent = 'toLowCardinality(user_agent_original)';
const text = (value: string) => `'${value.replaceAll('\\', '\\\\')}'`; // ours, and none has a quote
const list = (values: readonly string[]) => `[${values.map(text).join(', ')}]`;
const searched = `multiSearchFirstIndexCaseInsensitive(${agent}, ${list(pairs.map(({ word }) => word))})`;
const named = `ifNull(nullIf(extract(${agent}, ${text(name)}), ''), 'Other')`;

/** The same over events. */
export const userAgentFamily = `if(user_agent_original = '', '', if(startsWith(${agent}, 'Mozilla/'), ${list(pairs.map(({ family }) => family))}[${searched}], ${named}))`;
