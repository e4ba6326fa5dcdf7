import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTemplates } from '../../../ingest/templates.ts';
import { cpuMs } from '../../support/cpu.ts';

function among(...listed: string[]) {
  const templates = createTemplates<string>();
  for (const template of listed) templates.slotOf(template, () => template);
  return templates;
}

describe('the most specific template that a path fits', () => {
  const templates = among(
    '/orders',
    '/orders/{id}',
    '/orders/mine',
    '/orders/{id}/items',
    '/orders/mine/{what}',
    '/orders/{id}:cancel',
    '/files/{name}.{kind}',
    '/files/{name}.json',
    '/files/report-{year}-{month}.pdf',
    '/proxy/{path+}',
    '/proxy/here',
    '/static/*',
  );
  test.each([
    ['/orders', '/orders'],
    ['/orders/', '/orders'],
    ['//orders//8812', '/orders/{id}'],
    ['/orders/mine', '/orders/mine'],
    ['/orders/8812:cancel', '/orders/{id}:cancel'],
    ['/orders/:cancel', '/orders/{id}'],
    // A word first, but back to the parameter where the word leads nowhere.
    ['/orders/mine/items', '/orders/mine/{what}'],
    ['/orders/8812/items', '/orders/{id}/items'],
    ['/files/a.json', '/files/{name}.json'],
    ['/files/a.csv', '/files/{name}.{kind}'],
    ['/files/report-2026-11.pdf', '/files/report-{year}-{month}.pdf'],
    ['/files/.json', null],
    ['/proxy/a/b/c', '/proxy/{path+}'],
    ['/proxy/here', '/proxy/here'],
    ['/proxy/here/too', '/proxy/{path+}'],
    ['/static', '/static/*'],
    ['/static/css/a.css', '/static/*'],
    ['/Orders', null],
    ['/orders/8812/items/1', null],
    ['/', null],
    ['', null],
  ])('%s: %s', (path, expected) => expect(templates.find(path)).toBe(expected));

  test('is found after a way that ends nowhere', () => {
    expect(among('/a/b/{x}/d', '/a/{y}/c/e', '/{z}/b/c/f').find('/a/b/c/f')).toBe('/{z}/b/c/f');
  });

  test('names of parameters make no other template', () => {
    expect(among('/a/{id}', '/a/{name}').find('/a/1')).toBe('/a/{id}');
    expect(among('/a/{id}.json', '/a/{name}.json').find('/a/1.json')).toBe('/a/{id}.json');
  });

  test('every template without a rest fits itself', () => {
    const segment = fc.constantFrom('a', 'b', '{x}', '{x}.json', 'v{x}-{y}');
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const template = `/${segments.join('/')}`;
        expect(among(template).find(template.replaceAll(/\{\w\}/g, '7'))).toBe(template);
      }),
    );
  });
});

describe('a base', () => {
  const templates = among('/v1/orders');
  templates.setBase('/v1', 'one');
  templates.setBase('/v1/admin', 'inner');
  templates.setBase('/shared', 'a');
  templates.setBase('/shared', 'b');
  test.each([
    ['/v1/orders', '/v1/orders'],
    ['/v1/orders/7', 'one'],
    ['/v1', 'one'],
    ['/v1/admin/x', 'inner'],
    ['/v10', null],
    ['/shared/x', null],
  ])('holds for what is below and has no route: %s is of %s', (path, expected) => expect(templates.find(path)).toBe(expected));
});

test('a path of thousands of segments costs what a path costs', () => {
  const templates = among('/{a}/{b}/{c}/{d}', '/x/{b}/{c}/{d}/e', '/{a}/x/{c}/{d}/f');
  const find = () => {
    for (let run = 0; run < 100; run += 1) expect(templates.find('/x'.repeat(4_000))).toBeNull();
  };
  expect(cpuMs(find)).toBeLessThan(2_000);
});
