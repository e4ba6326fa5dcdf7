/** One catalogue of errors: what the code raises, what the table holds and what the page lists are the same codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuditError, catalogue, type ErrorCode } from '../../core/errors.ts';
import { root, sources } from '../support/sources.ts';

const table = Object.keys(catalogue).toSorted();
const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8');

/** Codes that nothing raises yet, each with its reason. */
const unraised: Readonly<Record<string, string>> = {
  BAD_REQUEST: 'graphql-yoga raises it',
  GRAPHQL_PARSE_FAILED: 'graphql-yoga raises it',
  GRAPHQL_VALIDATION_FAILED: 'graphql-yoga raises it',
};

/** Codes where the code raises them: in front of a message, or decided as a value. */
function raisedIn(files: ReadonlyMap<string, string>): Set<string> {
  const texts = [...files].filter(([file]) => file !== 'core/errors.ts').map(([, text]) => text);
  return new Set(texts.flatMap((text) => [...text.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, code]) => code ?? '')));
}

function constructedIn(files: ReadonlyMap<string, string>): Set<string> {
  return new Set(
    [...files.values()].flatMap((text) =>
      [...text.matchAll(/new (?:AuditError|ReadFailure)\(\s*'([A-Z_]+)'/g)].map(([, code]) => code ?? ''),
    ),
  );
}

function listedOn(text: string): string[] {
  return [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code ?? '').toSorted();
}

describe('the catalogue and its page', () => {
  it('list the same codes', () => {
    expect(listedOn(page)).toEqual(table);
  });

  it('say the same of each: status, whether to try again, meaning', () => {
    for (const [code, { http, retryable, meaning }] of Object.entries(catalogue)) {
      expect(page).toContain(`| \`${code}\` | ${http} | ${retryable ? 'yes' : 'no'} | ${meaning} |`);
    }
  });

  it('differ when a row is taken from the page or put to it: the comparison can fail', () => {
    const without = page.replace(/^\| `NOT_FOUND`.*\n/m, '');
    expect(listedOn(without)).not.toEqual(table);
    expect(listedOn(`${page}| \`MADE_UP\` | 500 | no | x |\n`)).not.toEqual(table);
  });
});

describe('the catalogue and the code', () => {
  it('hold every code that is raised', () => {
    const raised = constructedIn(sources());
    expect(raised.size).toBeGreaterThan(25);
    expect([...raised].filter((code) => !(code in catalogue))).toEqual([]);
  });

  it('hold none that nothing raises', () => {
    const raised = raisedIn(sources());
    expect(table.filter((code) => !raised.has(code) && !(code in unraised))).toEqual([]);
    expect(
      Object.keys(unraised).filter((code) => raised.has(code) || !(code in catalogue)),
      'exceptions that are none any more',
    ).toEqual([]);
  });
});

describe('every entry', () => {
  it.each(table)('%s says in whole sentences what happened, under a status of its kind', (code) => {
    const { http, retryable, meaning } = catalogue[code as ErrorCode]; // the keys of this table
    expect(meaning).toMatch(/^[A-Z].*\.$/);
    expect(http).toBeGreaterThanOrEqual(400);
    expect(http).toBeLessThan(600);
    if (retryable) expect([404, 429, 503, 504, 507], 'a client that sees this status tries again').toContain(http);
  });

  it('reaches the caller: code, status and whether to try again come with the error, its cause and facts stay', () => {
    const cause = new Error('socket hang up');
    const error = new AuditError('BACKEND_UNAVAILABLE', 'ClickHouse at db:8123 does not answer', { cause, facts: { host: 'db' } });
    expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE', httpStatus: 503, retryable: true, cause, facts: { host: 'db' } });
    expect(new AuditError('BAD_USER_INPUT', 'first is negative')).toMatchObject({ httpStatus: 400, retryable: false, facts: {} });
  });
});
