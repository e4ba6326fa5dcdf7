/** Words that somebody drew and nobody chose: keys and tokens without a prefix. Ids of machines, names and slugs are none. */

/** Signs of base64url, and those that names are parted by. */
const parts = /[-_.~+]/;
const plainPart = /^(?:[A-Za-z]?[a-z]*|[A-Z]+|\d+|[a-zA-Z]\d+)$/;
const hex = /^[0-9a-f-]+$/i;

/** Upper case, lower case and digits that change places every few signs, 20 of them or more; of one case and digits 32, unless hex. */
export function isRandom(word: string): boolean {
  if (word.length < 20 || hex.test(word)) return false;
  const odd = word
    .split(parts)
    .filter((part) => !plainPart.test(part))
    .join('');
  if (odd.length < 16) return false;
  const [hasLower, hasUpper, hasDigit] = [/[a-z]/.test(odd), /[A-Z]/.test(odd), /\d/.test(odd)];
  if (hasLower && hasUpper) return (hasDigit || odd.length >= 32) && odd.length < 3.2 * runsOf(odd);
  return hasDigit && odd.length >= 32 && odd.length < 4 * runsOf(odd);
}

/** Stretches of one kind of sign; a capital and the small letters behind it are one. */
function runsOf(word: string): number {
  return word.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g)?.length ?? 0;
}
