import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { redactText } from '../../../ingest/secrets.ts';

// None of them opens anything: documented examples, or drawn here.
const a = (length: number, signs = 'aB3dE5gH7jK9mN1pQ') => signs.repeat(Math.ceil(length / signs.length)).slice(0, length);
const hex = a(32, '0f8fad5bd9cb469fa1657086');
const secrets = {
  'a JWT': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  'JSON in base64': 'eyJ1c2VyIjoiYW5uYSIsInB3IjoieCJ9',
  'an access key of AWS': 'AKIAIOSFODNN7EXAMPLE',
  'a temporary access key of AWS': 'ASIAY34FZKBOKMUTVV7A',
  'an API key of Google': `AIza${a(35)}`,
  'an access token of Google': `ya29.${a(60)}`,
  'a client secret of Google': `GOCSPX-${a(28)}`,
  'a client secret of Entra': `abc8Q~${a(34)}`,
  'a signature of Azure': `https://x.blob.core.windows.net/c?sv=2024-11-04&sig=${encodeURIComponent(`${a(43)}=`)}`,
  'an account key of Azure': `DefaultEndpointsProtocol=https;AccountName=x;AccountKey=${a(86)}==`,
  'a token of DigitalOcean': `dop_v1_${hex}${hex}`,
  'a token of GitHub': 'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
  'a token of a GitHub app': `ghs_${a(36)}`,
  'a fine-grained token of GitHub': 'github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz',
  'a token of GitLab': `glpat-${a(20)}`,
  'a token of npm': `npm_${a(36)}`,
  'a token of PyPI': `pypi-AgEIcHlwaS5vcmc${a(40)}`,
  'a token of Docker Hub': `dckr_pat_${a(27)}`,
  'a token of Slack': 'xoxb-123456789012-abcdefghijkl',
  'an app token of Slack': `xapp-1-A0123456789-${a(20)}`,
  'a bot of Telegram': `1234567890:AA${a(33)}`,
  'a key of Stripe': 'sk_live_4eC39HqLyjWDarjtT1zdp7dc',
  'a webhook secret of Stripe': `whsec_${a(32)}`,
  'a key of OpenAI': `sk-proj-${a(40)}`,
  'a key of Anthropic': `sk-ant-api03-${a(40)}`,
  'a key of SendGrid': `SG.${a(22)}.${a(43)}`,
  'a key of Twilio': `SK${hex}`,
  'a token of Shopify': `shpat_${hex}`,
  'a token of Vault': `hvs.${a(24)}`,
  'a key of ours': `gtk_abcdefgh_${a(32)}_00000000`,
  'a bearer': 'Bearer abcdef0123456789',
  'a bearer in a query': 'Bearer+abcdef0123456789',
  'a bearer of mixed case': 'bEaReR abcdef0123456789',
  'Basic credentials': 'Basic dXNlcjpwYXNzd29yZA==',
  'a card in blanks': '4111 1111 1111 1111',
  'a card in dashes': '4111-1111-1111-1111',
  'a card in pluses': '4111+1111+1111+1111',
  'a card of American Express': '3782 822463 10005',
  'a card in one run': '5500005555555559',
  'a card of 19 digits': '6304000000000000000',
} as const;

describe('a secret', () => {
  test.each(Object.entries(secrets))('as %s is found in any text', (_, secret) => {
    const core = secret.slice(-12);
    for (const around of ['agent/1.0 (S)', '"S"', 'x=S', 'a;S;b', 'S', '[S]'])
      expect(redactText(around.replace('S', secret)), around).not.toContain(core);
  });

  test.each(Object.entries(secrets))('as %s is found behind percent signs, once and twice, upper and lower case', (_, secret) => {
    const once = `x%20${encodeURIComponent(secret)}`;
    const everySign = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    for (const text of [once, encodeURIComponent(once), everySign, encodeURIComponent(everySign).toLowerCase()])
      expect(redactText(text), text).toBe('REDACTED');
  });

  test('takes what follows the head of a PEM along', () => {
    const pem = `-----BEGIN RSA PRIVATE KEY-----\n${a(64)}\n${a(64, 'xY9zW8vU7')}\n-----END RSA PRIVATE KEY-----`;
    for (const text of [`x ${pem} y`, pem.replaceAll('\n', ' '), pem.replaceAll('\n', String.raw`\n`)]) {
      expect(redactText(text)).not.toContain(a(8));
      expect(redactText(text)).not.toContain('xY9zW8vU7');
    }
    expect(redactText(`x ${Buffer.from(pem).toString('base64')}`)).toBe('x REDACTED');
  });

  test.each([
    ['password=hunter2', 'REDACTED'],
    ['agent (api_key: x, token=hunter2)', 'agent (api_key: x, REDACTED)'],
    ['{"password":"hunter2 and more","user":"anna"}', '{"REDACTED","user":"anna"}'],
    [String.raw`{"body":"{\"password\":\"hunter2\"}"}`, String.raw`{"body":"{\"REDACTED"}`],
    ['client_secret=hunter2&page=1', 'client_REDACTED&page=1'],
    ['X-Api-Key: hunter2', 'X-REDACTED'],
    ['Cookie: sid=hunter2; theme=dark', 'REDACTED'],
    ['Authorization: Digest username="anna", response="hunter2"', 'REDACTED'],
    ['token=Bearer hunter2', 'REDACTED'],
    ['(+https://anna:hunter2@example.com/bot)', '(+https:REDACTEDexample.com/bot)'],
    ['(+https://anna:hun@ter2@example.com/bot)', '(+https:REDACTEDexample.com/bot)'],
    ['see https://example.com/x?id=hunter2&y=1 for more', 'see https://example.com/xREDACTED for more'],
  ])('needs no shape where its name stands in front: %s', (text, clean) => expect(redactText(text)).toBe(clean));

  test('leaves the rest of a text standing', () => expect(redactText('curl/8.5 Bearer abcdef0123456789 x')).toBe('curl/8.5 REDACTED x'));

  test('is gone after one reading: a second one changes nothing', () => {
    for (const secret of Object.values(secrets)) {
      const clean = redactText(`agent/1.0 (${secret}) password=x`);
      expect(redactText(clean)).toBe(clean);
    }
  });
});

test.each([
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'aws-sdk-js/3.687.0 ua/2.1 os/linux#6.1 lang/js md/nodejs#20.18.0 api/s3#3.687.0 m/E,n',
  'Boto3/1.35.70 md/Botocore#1.35.70 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.12.7 cfg/retry-mode#legacy',
  'python-requests/2.32.3',
  'okhttp/4.12.0',
  'Apache-HttpClient/5.4.1 (Java/21.0.5)',
  'azsdk-net-Storage.Blobs/12.23.0 (.NET 8.0.11; Microsoft Windows 10.0.20348)',
  'grpc-go/1.68.0',
  'GitHub-Hookshot/a1b2c3d',
  'kube-probe/1.31',
  'Prometheus/2.55.1',
  'contact: ops@example.com',
  '203.0.113.7, 10.0.0.1',
  '2001:db8::8a2e, unknown',
  'order-service',
  'asiapacificsoutheast',
  'asia-pacific-southeast-1',
  'keyJsonSerializerOptions',
  'global-accelerator-service-name',
  'sk-bratislava-hotel-pod-hradom',
  'pypi-simple-index-mirror-of-ours',
  'npm_config_registry_of_our_own_company',
  'kong-0.14.1-plugin-key-auth',
  'ratelimit: token bucket is empty',
  'upstream_reset_before_response_started{connection_termination}',
  'multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
  'application/json; charset=utf-8',
  'TLS_AES_256_GCM_SHA384',
  'ECDHE-RSA-AES128-GCM-SHA256',
  '~/v1/(?<id>[0-9]+)/(?=items)',
  '2026-11-22T10:00:00.123456Z',
  'c0ffee00c0ffee00c0ffee00c0ffee00',
  '0f8fad5b-d9cb-469f-a165-70867728950e',
  '0F8FAD5B-D9CB-469F-A165-70867728950E',
  '01JDC7Q3VZ8R9WXA4M5N6P7S8T',
  'Root=1-67891233-abcdef012345678912345678',
  '1732442400123',
  '1175928847299117063',
  '411111111111-1111',
  '41111-111111-11111',
  '4-111-1111-1111-1111',
  '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
])('%s is no secret', (text) => expect(redactText(text)).toBe(text));

test('one in ten of the long numbers that begin as cards do is taken for one, no other', () => {
  const numbers = Array.from({ length: 2_000 }, () => BigInt(`0x${randomBytes(8).toString('hex')}`).toString());
  const taken = numbers.filter((number) => redactText(number) !== number);
  expect(taken.length / numbers.length).toBeLessThan(0.06);
  expect(taken.every((number) => /^[2-6]/.test(number))).toBe(true);
});
