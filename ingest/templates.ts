/** Route templates by their segments: finds the most specific one that a path fits, whatever the number of templates. */

interface Node<Slot> {
  readonly words: Map<string, Node<Slot>>;
  /** Segments with a parameter and something around it, as `{id}:cancel`, by the texts around the parameters; the longest first. */
  readonly partly: { readonly pieces: readonly string[]; readonly node: Node<Slot> }[];
  parameter: Node<Slot> | null;
  /** Takes whatever follows: `{proxy+}`, `*`. */
  rest: Node<Slot> | null;
  slot: Slot | null;
  base: Slot | null;
}

export interface Templates<Slot> {
  /** The slot of a template, made where it is new; templates that differ by the names of parameters share one. */
  slotOf(template: string, make: () => Slot): Slot;
  /** What holds for every path at or below this one. A place that two claim is nobody's. */
  setBase(path: string, base: Slot): void;
  /** Word before part of a word before parameter, from the left; else the longest base. */
  find(path: string): Slot | null;
}

export function createTemplates<Slot>(): Templates<Slot> {
  const root = emptyNode<Slot>();
  const nodeOf = (template: string) => segmentsOf(template).reduce(below, root);
  const claimed = new Set<Node<Slot>>();
  return {
    slotOf(template, make) {
      const node = nodeOf(template);
      node.slot ??= make();
      return node.slot;
    },
    setBase(path, base) {
      const node = nodeOf(path);
      node.base = claimed.has(node) && node.base !== base ? null : base;
      claimed.add(node);
    },
    find(path) {
      const segments = segmentsOf(path);
      let base: Slot | null = null;
      let depth = -1;
      const walk = (node: Node<Slot>, at: number): Slot | null => {
        if (node.base !== null && at > depth) {
          base = node.base;
          depth = at;
        }
        if (at === segments.length) return node.slot ?? node.rest?.slot ?? null;
        for (const next of waysOn(node, segments[at] ?? '')) {
          const found = walk(next, at + 1);
          if (found !== null) return found;
        }
        return node.rest?.slot ?? null;
      };
      return walk(root, 0) ?? base;
    },
  };
}

function emptyNode<Slot>(): Node<Slot> {
  return { words: new Map(), partly: [], parameter: null, rest: null, slot: null, base: null };
}

/** A slash at the end and a doubled one count for nothing. */
const segmentsOf = (path: string): string[] => path.split('/').filter((segment) => segment !== '');

function waysOn<Slot>({ words, partly, parameter }: Node<Slot>, segment: string): Node<Slot>[] {
  const word = words.get(segment);
  const parts = partly.filter(({ pieces }) => fits(segment, pieces)).map(({ node }) => node);
  return [...(word === undefined ? [] : [word]), ...parts, ...(parameter === null ? [] : [parameter])];
}

function below<Slot>(node: Node<Slot>, segment: string): Node<Slot> {
  if (/^(?:\*+|\{[^{}]*[+*]\})$/.test(segment)) return (node.rest ??= emptyNode());
  if (/^\{[^{}]*\}$/.test(segment)) return (node.parameter ??= emptyNode());
  const pieces = segment.split(/\{[^{}]*\}/);
  if (pieces.length > 1) return partBelow(node, pieces);
  const next = node.words.get(segment) ?? emptyNode<Slot>();
  node.words.set(segment, next);
  return next;
}

function partBelow<Slot>({ partly }: Node<Slot>, pieces: readonly string[]): Node<Slot> {
  const known = partly.find((each) => each.pieces.join('{}') === pieces.join('{}'));
  if (known !== undefined) return known.node;
  const node = emptyNode<Slot>();
  partly.push({ pieces, node });
  partly.sort((one, other) => other.pieces.join('').length - one.pieces.join('').length);
  return node;
}

/** The pieces stand in the segment in their order, the first and the last at its ends, with something between each two. */
function fits(segment: string, pieces: readonly string[]): boolean {
  const [first = '', ...others] = pieces;
  const last = others.pop() ?? '';
  if (!segment.startsWith(first) || !segment.endsWith(last)) return false;
  let at = first.length;
  for (const piece of others) {
    const found = segment.indexOf(piece, at + 1);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return segment.length - last.length > at;
}
