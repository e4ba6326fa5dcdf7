/** Credentials and card numbers inside texts: what they look like, and how a text reads without them. Linear in the text. */
import { remembered } from '../core/remembered.ts';
import { hasCardNumber, withoutCardNumbers } from './card-numbers.ts';

export const redacted = 'REDACTED';

/** Each by the prefix that its issuer documents; in front of it stands no letter and no digit. */
const tokens = [
  /eyJ[\w.+/=-]{12,}/, // JSON in base64: RFC 7519 (JWT), 7516
  /LS0tLS1CRUdJTi[\w+/=-]*/, // PEM in base64
  /[Aa][KkSs][Ii][Aa](?=[A-Za-z]{0,15}\d)[A-Za-z0-9]{16}(?![A-Za-z0-9])/, // AWS access keys, also where a host is written in lower case
  /AIza[\w-]{35}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{20,}/, // Google
  /[\w.~-]{3}\dQ~[\w.~-]{31,}/, // Microsoft Entra
  /do[opr]_v1_\w{32,}/, // DigitalOcean
  /gh[a-z]_\w{16,}|github_pat_\w{16,}/, // GitHub
  /gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct)-[\w-]{16,}/, // GitLab
  /npm_[A-Za-z0-9]{30,}|pypi-Ag[\w-]{16,}|dckr_pat_[\w-]{20,}|hf_[A-Za-z]{30,}/, // npm, PyPI, Docker Hub, Hugging Face
  /xox[a-z]-[\w-]{8,}|xapp-\d-[\w-]{8,}/, // Slack
  /\d{8,10}:[\w-]{35}/, // Telegram
  /[rs]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{16,}/, // Stripe
  /sk-(?:[a-z]{3,7}\d{0,2}-){0,2}\w{20,}/, // OpenAI, Anthropic
  /SG\.[\w-]{16,64}\.[\w-]{16,}/, // SendGrid
  /(?:AC|SK)[0-9a-f]{32}(?![A-Za-z0-9])/, // Twilio
  /shp(?:at|ca|pa|ss)_\w{32,}|hv[bsr]\.[\w-]{20,}|dapi[0-9a-f]{32}/, // Shopify, Vault, Databricks
  /gtk_\w{20,}/, // our own
];

/** Whatever the case, with blanks inside: they go first, so that nothing else ends in the middle of one. */
const sentences = [
  /-----BEGIN [^]*/, // PEM (RFC 7468): the key is what follows
  /(?:cookie|authorization|api-key|auth-token|security-token|csrf-token)\\{0,8}["']?\s{0,4}[:=][^\r\n]+/, // header lines
  /(?<![A-Za-z])(?:Basic|Bearer)[ +]{1,16}[\w+/=.~-]{8,}/, // RFC 7617, 6750
];

/** What the place of a text tells, so that it needs no shape of its own. */
const places = [
  /\/\/[^\s/?#]{1,1024}@/, // user info of a URL, RFC 3986
  /(?<!\()\?[\w.~%[\]-]{0,64}=[^\s"'<>()]*/, // query of a URL, and no group of a pattern of routes
  // password=x, "token": "x" and the same inside of a text of JSON; AccountKey= and sig= of Azure
  /(?:pass(?:word|wd|phrase)?|pwd|secret|token|key|sig|signature|credentials?|auth|sess(?:ion)?(?:[-_]?id)?)(?:(?:\\{0,8}["']|\\x22)\s{0,4}[:=]|=)\s{0,4}(?:(?:Basic|Bearer)[ +]{1,4})?(?:\\{0,8}"(?:[^"\\]|\\.)*|'(?:[^'\\]|\\.)*|[^\s"'&;,<>(){}]+)/,
];

const anyOf = (patterns: readonly RegExp[]) => patterns.map(({ source }) => source).join('|');
const patterns = [
  new RegExp(anyOf(sentences), 'gi'),
  new RegExp(`(?<![A-Za-z0-9])(?:${anyOf(tokens)})`, 'g'),
  new RegExp(anyOf(places), 'gi'),
] as const;
const [sentence, token, place] = patterns.map(({ source, flags }) => new RegExp(source, flags.replace('g', ''))) as [
  RegExp,
  RegExp,
  RegExp,
];

/** The shortest text that can hold one, in UTF-16 units. */
export const shortestSecret = 12;

const repeated = remembered(thoroughly, 4_000);

/** Whole text or only the secret inside it. */
export function redactText(text: string): string {
  return text.length < shortestSecret || isMachineId(text) ? text : repeated(text);
}

/** In any of the ways in which a text can hold it. */
export function isSecret(text: string): boolean {
  return (
    text.length >= shortestSecret &&
    !isMachineId(text) &&
    (token.test(text) || sentence.test(text) || place.test(text) || hasCardNumber(text))
  );
}

function thoroughly(text: string): string {
  if (text.includes('%') && isSecret(unescaped(text))) return redacted;
  if (!isSecret(text)) return text;
  const [allSentences, allTokens, allPlaces] = patterns;
  const shapeless = withoutCardNumbers(text.replaceAll(allSentences, redacted).replaceAll(allTokens, redacted), redacted);
  return shapeless.replaceAll(allPlaces, redacted);
}

/** Lower-case hex with a letter in it, or a UUID: no secret can stand in one, and most long texts are one. */
function isMachineId(text: string): boolean {
  let hasLetter = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (sign >= 0x61 && sign <= 0x66) hasLetter = true;
    else if ((sign < 0x30 || sign > 0x39) && !(sign === 0x2d && isDashOfUuid(text, at))) return false;
  }
  return hasLetter;
}

function isDashOfUuid(text: string, at: number): boolean {
  return text.length === 36 && (at === 8 || at === 13 || at === 18 || at === 23);
}

/** Percent signs opened four times, as a client can hide a value; what is malformed stays as it is. */
export function unescaped(text: string): string {
  let open = text;
  for (let times = 0; times < 4 && open.includes('%'); times += 1) {
    open = open.replaceAll(/%(?:u00)?([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return open;
}
