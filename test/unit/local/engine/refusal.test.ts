import { expect, test } from 'vitest';
import { refuse, toRefusal } from '../../../../local/engine/refusal.ts';

test.each([
  ['Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)', 60, 404],
  ['Code: 62. DB::Exception: Syntax error. (SYNTAX_ERROR)', 62, 400],
  ['Code: 241. DB::Exception: Memory limit. (MEMORY_LIMIT_EXCEEDED)', 241, 500],
  ['  Code: 159. DB::Exception: Timeout. (TIMEOUT_EXCEEDED)', 159, 408],
  ['Code: 394. DB::Exception: Cancelled. (QUERY_WAS_CANCELLED)', 394, 500],
])('the message %j of the engine gives code %i and status %i', (message, exceptionCode, status) => {
  expect(toRefusal(new Error(message))).toMatchObject({ exceptionCode, status, message: message.trim() });
});

test('what is no message of the engine is a fault of the host', () => {
  for (const thrown of [new Error('socket closed'), 'Code: none', null]) {
    expect(toRefusal(thrown)).toMatchObject({ exceptionCode: 1001, status: 500, message: expect.stringContaining('STD_EXCEPTION') });
  }
});

test('damaged gzip is the fault of who sent it', () => {
  const damaged = Object.assign(new Error('incorrect header check'), { code: 'Z_DATA_ERROR' });
  expect(toRefusal(damaged)).toMatchObject({ exceptionCode: 354, status: 400 });
});

test('a refusal of the host reads like one of a server, and passes unchanged', () => {
  const refusal = refuse(48, 'zstd is not read here', 415);
  expect(refusal.message).toBe('Code: 48. DB::Exception: zstd is not read here (NOT_IMPLEMENTED)');
  expect(toRefusal(refusal)).toBe(refusal);
  expect(refusal.status).toBe(415);
});
