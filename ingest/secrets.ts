/** Credentials and card numbers inside texts: what they look like, and how a text reads without them. Linear in the text. */
import { remembered } from '../core/remembered.ts';

export const redacted = 'REDACTED';

// JWT, AWS access keys, source hosts, payment and chat tokens, PEM, HTTP credentials, user info of URLs.
const secrets =
  /eyJ[\w.+/=-]{12,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|\b[sr]k_(?:live|test)_\w{8,}|\bxox[a-z]-[\w-]{8,}|\bgtk_\w{20,}|-----BEGIN [A-Z ]+-----|\b(?:Basic|Bearer) +[\w+/=.~-]{8,}|\/\/[^/@\s]{1,256}@/gi;
const secret = new RegExp(secrets.source, 'i');
// Printed in one run, or in groups as on the card. A run inside a word is none, nor are digits parted elsewhere: ids of
// requests are such, and the digits of one in ten pass the check.
const digitRuns = /(?<![0-9A-Za-z])(?:\d{13,19}|(?:\d{4}[ -]){3}\d{1,7}|\d{4}[ -]\d{6}[ -]\d{4,5})(?![0-9A-Za-z])/g;
/** Looked for first: going through the matches costs several times as much. */
const digitRun = new RegExp(digitRuns.source);
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** The shortest text that can hold one, in UTF-16 units. */
export const shortestSecret = 12;

const repeated = remembered(thoroughly, 4_000);

/** Whole text or only the secret inside it. */
export function redactText(text: string): string {
  return text.length < shortestSecret || isMachineId(text) ? text : repeated(text);
}

/** In any of the ways in which a text can hold it. */
export function isSecret(text: string): boolean {
  return text.length >= shortestSecret && !isMachineId(text) && (secret.test(text) || hasCardNumber(text));
}

function thoroughly(text: string): string {
  if (text.includes('%') && isSecret(unescaped(text))) return redacted;
  if (!isSecret(text)) return text;
  return text.replaceAll(secrets, redacted).replaceAll(digitRuns, (run) => (isCardNumber(run) ? redacted : run));
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

/** Percent signs opened twice, as a client can hide a value; what is malformed stays as it is. */
export function unescaped(text: string): string {
  let open = text;
  for (let times = 0; times < 2 && open.includes('%'); times += 1) {
    open = open.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return open;
}

function hasCardNumber(text: string): boolean {
  if (text.length < 13 || !digitRun.test(text) || uuid.test(text)) return false;
  for (const [run] of text.matchAll(digitRuns)) if (isCardNumber(run)) return true;
  return false;
}

/** Source of the check: ISO/IEC 7812-1, annex B (Luhn). */
function isCardNumber(run: string): boolean {
  const digits = run.replaceAll(/\D/g, '');
  if (digits.length < 13 || digits.length > 19 || !/^[2-6]/.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}
