/** Numbers of payment cards inside of texts: what they look like, and whether their digits add up. Linear in the text. */

// Printed in one run, or in groups as on the card; a query writes a blank as a plus. A run inside a word is none, nor are digits
// parted elsewhere: ids of requests are such, and the digits of one in ten pass the check.
const digitRuns = /(?<![0-9A-Za-z])(?:\d{13,19}|(?:\d{4}[ +-]){3}\d{1,7}|\d{4}[ +-]\d{6}[ +-]\d{4,5})(?![0-9A-Za-z])/g;
/** Looked for first: going through the matches costs several times as much. */
const digitRun = new RegExp(digitRuns.source);
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** First digits and lengths of the brands: Visa, Mastercard and Mir, American Express, Diners Club; JCB, Discover, UnionPay, Maestro. */
const brands = /^(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3[0689]\d{12}|(?:35|5[0678]|6[0-57])\d{14,17})$/;

export function hasCardNumber(text: string): boolean {
  if (text.length < 13 || !digitRun.test(text) || uuid.test(text)) return false;
  for (const [run] of text.matchAll(digitRuns)) if (isCardNumber(run)) return true;
  return false;
}

export function withoutCardNumbers(text: string, instead: string): string {
  return text.replaceAll(digitRuns, (run) => (isCardNumber(run) ? instead : run));
}

/** Source of the check: ISO/IEC 7812-1, annex B (Luhn). */
function isCardNumber(run: string): boolean {
  const digits = run.replaceAll(/\D/g, '');
  if (!brands.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}
