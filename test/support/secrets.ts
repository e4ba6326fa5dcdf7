/** Three hundred secrets of fifteen kinds, the same for the same seed. None opens anything. */

export interface Secret {
  readonly kind: string;
  readonly text: string;
  /** Parts by which it is known wherever it stands: the drawn ones, without what all of a kind share. */
  readonly cores: readonly string[];
  /** Known by its shape in any text; in a path alone; or nowhere, so that its place alone tells. */
  readonly knownIn: 'any text' | 'a path' | 'nothing';
}

type Draw = (length: number, signs: string) => string;

const lower = 'abcdefghijklmnopqrstuvwxyz';
const upper = lower.toUpperCase();
const digits = '0123456789';
const base62 = upper + lower + digits;
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Mixed on purpose: a few of each hundred that are drawn happen to have no digit. */
const mixed = (draw: Draw, length: number) =>
  draw(length - 4, base62) + draw(1, digits) + draw(1, lower) + draw(1, upper) + draw(1, digits);
const password = (draw: Draw) => `${draw(1, upper)}${draw(5, lower)}-${draw(4, digits)}!${draw(4, lower)}`;

const prefixed = (kind: string, make: (draw: Draw) => readonly [prefix: string, drawn: string]) => (draw: Draw) => {
  const [prefix, drawn] = make(draw);
  return { kind, text: prefix + drawn, cores: [drawn], knownIn: 'any text' as const };
};

const kinds: readonly ((draw: Draw, index: number) => Secret)[] = [
  (draw) => opaque('password', password(draw)),
  (draw) => opaque('raw key in hex', draw(32, '0123456789abcdef')),
  (draw) => ({ ...opaque('raw key', mixed(draw, 40)), knownIn: 'a path' }),
  (draw) => {
    const [payload, signature] = [base64(`{"sub":"${draw(24, lower)}"}`).replaceAll('=', ''), draw(43, base62)];
    return { kind: 'JWT', text: `eyJhbGciOiJIUzI1NiJ9.${payload}.${signature}`, cores: [payload.slice(8), signature], knownIn: 'any text' };
  },
  prefixed('AWS', (draw) => ['AKIA', `${draw(15, upper)}${draw(1, '234567')}`]),
  prefixed('GitHub', (draw) => ['ghp_', draw(36, base62)]),
  (draw, index) => prefixed('source hosts', () => [['glpat-', 'npm_', 'pypi-AgEIcHlwaS5vcmc'][index % 3] ?? '', draw(36, base62)])(draw),
  prefixed('Slack', (draw) => [`xoxb-${draw(12, digits)}-`, draw(24, base62)]),
  prefixed('Stripe', (draw) => ['sk_live_', draw(24, base62)]),
  (draw, index) =>
    prefixed('Google and DigitalOcean', () => (index % 2 ? ['AIza', draw(35, base62)] : ['dop_v1_', draw(64, '0123456789abcdef')]))(draw),
  (draw) => {
    const lines = [draw(64, base62), draw(64, base62)];
    const text = `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----`;
    return { kind: 'PEM', text, cores: lines, knownIn: 'any text' };
  },
  (draw, index) => {
    const number = withLuhn(`4${draw(14, digits)}`);
    const text = index % 2 ? number.replaceAll(/(\d{4})(?=\d)/g, '$1 ') : number;
    return { kind: 'card', text, cores: [text], knownIn: 'any text' };
  },
  prefixed('Basic', (draw) => ['Basic ', base64(`anna:${password(draw)}`).replaceAll('=', '')]),
  prefixed('Bearer', (draw) => ['Bearer ', draw(32, base62)]),
  (draw) => {
    const drawn = `${draw(10, base62)}.${draw(6, digits)}`;
    return { kind: 'user info', text: `https://anna:${drawn}@db.example.net/x`, cores: [drawn], knownIn: 'any text' };
  },
];

const opaque = (kind: string, text: string): Secret => ({ kind, text, cores: [text], knownIn: 'nothing' });

export function drawSecrets(seed: number, count = 300): readonly Secret[] {
  const next = random(seed);
  const draw: Draw = (length, signs) => Array.from({ length }, () => signs[Math.floor(next() * signs.length)]).join('');
  return Array.from({ length: count }, (_, index) => (kinds[index % kinds.length] ?? kinds[0]!)(draw, Math.floor(index / kinds.length))); // oxlint-disable-line typescript/no-non-null-assertion -- the list is not empty
}

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mix = Math.imul(state ^ (state >>> 15), 1 | state);
    mix = (mix + Math.imul(mix ^ (mix >>> 7), 61 | mix)) ^ mix;
    return ((mix ^ (mix >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function withLuhn(digitsBefore: string): string {
  const sum = Array.from(digitsBefore)
    .toReversed()
    .reduce((all, digit, at) => {
      const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
      return all + (value > 9 ? value - 9 : value);
    }, 0);
  return `${digitsBefore}${(10 - (sum % 10)) % 10}`;
}

/** Every way in which a core may stand somewhere: as it is, behind percent signs once and twice, in base64, as hosts are written. */
export function formsOf(core: string): readonly string[] {
  const once = encodeURIComponent(core);
  const every = [...Buffer.from(core)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const inBase64 = [0, 1, 2].map((shift) => base64(' '.repeat(shift) + core).slice(shift + 1, -4));
  return [...new Set([core, once, encodeURIComponent(once), every, encodeURIComponent(every), core.toLowerCase(), ...inBase64])];
}
