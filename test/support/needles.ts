/** Looks for many texts at once in bytes: a byte search over all of them costs one pass. */

export type Search = (bytes: Buffer) => readonly string[];

/** Which of the needles, of eight bytes or more, stand in the bytes. */
export function searchFor(needles: Iterable<string>): Search {
  const byHead = new Map<number, Buffer[]>();
  const heads = new Uint8Array(1 << 24);
  for (const text of new Set(needles)) {
    const needle = Buffer.from(text);
    if (needle.length < 8) throw new Error(`${text} is too short to be told from chance`);
    const head = needle.readUInt32LE(0);
    heads[head & 0xffffff] = 1;
    byHead.set(head, [...(byHead.get(head) ?? []), needle]);
  }
  return (bytes) => {
    const found = new Set<string>();
    let window = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      window = (window >>> 8) | ((bytes[at] ?? 0) << 24);
      // Of little-endian bytes the three older ones stand below.
      if (at < 3 || heads[window & 0xffffff] === 0) continue;
      for (const needle of byHead.get(window >>> 0) ?? [])
        if (bytes.subarray(at - 3, at - 3 + needle.length).equals(needle)) found.add(needle.toString());
    }
    return [...found];
  };
}
