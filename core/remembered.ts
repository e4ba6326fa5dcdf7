/** A pure function of a text that remembers its answers: traffic repeats its agents, hosts, names and people. */

/** Texts beyond it are worked out each time: they repeat seldom. */
const longest = 256;

/** Keeps at most `most` answers, then begins anew. */
export function remembered<Answer extends string | boolean | object>(
  work: (text: string) => Answer,
  most: number,
): (text: string) => Answer {
  const known = new Map<string, Answer>();
  return (text) => {
    if (text.length > longest) return work(text);
    let answer = known.get(text);
    if (answer === undefined) {
      if (known.size >= most) known.clear();
      // A text is often a slice of a far longer one, which would stay with it.
      const copy = ` ${text}`.slice(1);
      answer = work(copy);
      known.set(copy, answer);
    }
    return answer;
  };
}
