import { describe, expect, test } from 'vitest';
import { cutWhole, lineCutter, maxMessageBytes } from '../../../ingest/messages.ts';

const values = (text: string) => cutWhole(Buffer.from(text)).map((part) => ('value' in part ? part.value.toString() : part));

describe('a file or body becomes messages', () => {
  test('each line is a message', () => expect(values('{"a":1}\n{"a":2}\n')).toEqual(['{"a":1}', '{"a":2}']));
  test('the last line needs no line break', () => expect(values('one\ntwo')).toEqual(['one', 'two']));
  test('empty and blank lines are passed over', () => expect(values('\n\none\n  \n\t\ntwo\n\n')).toEqual(['one', 'two']));
  test('an empty body holds none', () => expect(values('')).toEqual([]));
  test('Windows line breaks are taken off', () => expect(values('one\r\ntwo\r\n')).toEqual(['one', 'two']));
  test('blanks inside a line stay', () => expect(values('  indented\n')).toEqual(['  indented']));

  test('one JSON document over many lines is one message', () => {
    const document = '[\n  {"a": 1},\n  {"a": 2}\n]';
    expect(values(`${document}\n`)).toEqual([`${document}\n`]);
  });

  test('one JSON document on one line is one message', () => expect(values('[{"a":1},{"a":2}]')).toEqual(['[{"a":1},{"a":2}]']));

  test('a broken document over many lines is cut by lines, so that nothing of it vanishes', () => {
    expect(values('{\n"a":1\n')).toEqual(['{', '"a":1']);
  });

  test('a byte order mark is no part of the first message', () => {
    expect(values('\uFEFF{"a":1}\n{"a":2}')).toEqual(['{"a":1}', '{"a":2}']);
    expect(values('\uFEFF{\n"a":1}')).toEqual(['{\n"a":1}']);
  });

  test('a #Fields line goes along with the lines after it', () => {
    const parts = cutWhole(Buffer.from('#Fields: date time\n2026-11-22 10:00:00\n#Fields: time\n10:00:01\n'));
    expect(parts.map((part) => 'headers' in part && part.headers?.['gatetrail-fields'])).toEqual(['#Fields: date time', '#Fields: time']);
  });

  test('a line beyond 16 MiB is named, and the lines after it are still read', () => {
    const parts = cutWhole(Buffer.concat([Buffer.alloc(maxMessageBytes + 1, 0x61), Buffer.from('\nnext\n')]));
    expect(parts[0]).toEqual({ oversize: maxMessageBytes + 1, end: maxMessageBytes + 2 });
    expect(parts[1]).toMatchObject({ value: Buffer.from('next') });
  });
});

describe('a growing file is cut wherever its pieces break', () => {
  test('every cut of the bytes gives the same messages with the same ends', () => {
    const text = Buffer.from('alpha\nbeta\r\n\ngämma\nlast');
    const whole = cutWhole(text);
    for (let at = 0; at <= text.length; at += 1) {
      const cutter = lineCutter();
      const parts = [...cutter.push(text.subarray(0, at)), ...cutter.push(text.subarray(at)), ...cutter.end()];
      expect(parts).toEqual(whole);
    }
  });

  test('the end of a message is where reading goes on', () => {
    const text = Buffer.from('alpha\nbeta\ngamma\n');
    const [first] = lineCutter().push(text);
    const cutter = lineCutter(first?.end);
    expect(cutter.push(text.subarray(first?.end)).map((part) => part.end)).toEqual([11, 17]);
  });

  test('a line that is not ended yet stays behind', () => {
    const cutter = lineCutter();
    expect(cutter.push(Buffer.from('half'))).toEqual([]);
    expect(cutter.push(Buffer.from(' line\n'))).toMatchObject([{ value: Buffer.from('half line') }]);
  });
});
