/** How ClickHouse says no: a code, a name, the HTTP status that belongs to it. For the engine's HTTP host. */

/** An error in ClickHouse's own form, made by the host or read from the engine's message. */
export class Refusal extends Error {
  readonly exceptionCode: number;
  readonly status: number;

  constructor(exceptionCode: number, message: string, status = statusOf(exceptionCode)) {
    super(message);
    this.name = 'Refusal';
    this.exceptionCode = exceptionCode;
    this.status = status;
  }
}

/** A refusal by the host itself, worded as the server words its own. */
export function refuse(exceptionCode: keyof typeof names, text: string, status?: number): Refusal {
  return new Refusal(exceptionCode, `Code: ${exceptionCode}. DB::Exception: ${text} (${names[exceptionCode]})`, status);
}

/** Anything thrown, as a refusal. The engine's messages begin with `Code: N.`; what does not is a damaged body or a fault of the host. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isDamagedGzip(error)) return refuse(354, `The gzip of the request body is damaged: ${error.message}`);
  const text = error instanceof Error ? error.message : String(error);
  const code = /^\s*Code: (\d+)\b/.exec(text)?.[1];
  return code === undefined ? refuse(1001, text) : new Refusal(Number(code), text.trim());
}

/** zlib names its errors Z_DATA_ERROR, Z_BUF_ERROR and so on. */
function isDamagedGzip(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

const names = {
  48: 'NOT_IMPLEMENTED',
  62: 'SYNTAX_ERROR',
  115: 'UNKNOWN_SETTING',
  229: 'QUERY_IS_TOO_LARGE',
  243: 'NOT_ENOUGH_SPACE',
  354: 'ZLIB_INFLATE_FAILED',
  372: 'SESSION_NOT_FOUND',
  373: 'SESSION_IS_LOCKED',
  394: 'QUERY_WAS_CANCELLED',
  455: 'BAD_QUERY_PARAMETER',
  511: 'UNKNOWN_ROLE',
  516: 'AUTHENTICATION_FAILED',
  1001: 'STD_EXCEPTION',
} as const;

const statuses: ReadonlyMap<number, number> = new Map([
  ...[6, 26, 27, 32, 33, 38, 41, 53, 62, 69, 70, 72, 117, 130, 131, 354, 372, 455].map((code) => [code, 400] as const),
  ...[46, 47, 50, 52, 56, 60, 63, 73, 81, 115, 511].map((code) => [code, 404] as const),
  [48, 501],
  [159, 408],
  [229, 413],
  [241, 500],
  [373, 423],
  [516, 403],
]);

function statusOf(exceptionCode: number): number {
  return statuses.get(exceptionCode) ?? 500;
}
