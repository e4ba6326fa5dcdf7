// Figures as text.

/** Three digits are more than a measurement holds. */
export function round(value) {
  if (typeof value !== 'number') return value;
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

/** A Markdown table of rows that have the same names; numbers stand on the right. */
export function table(rows) {
  const names = Object.keys(rows[0] ?? {});
  const isNumber = names.map((name) => rows.every((row) => typeof row[name] === 'number'));
  const texts = rows.map((row) => names.map((name) => String(round(row[name]))));
  const widths = names.map((name, at) => Math.max(3, name.length, ...texts.map((cells) => cells[at].length)));
  const line = (cells) =>
    `| ${cells.map((cell, at) => (isNumber[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at]))).join(' | ')} |`;
  const rule = line(widths.map((width, at) => (isNumber[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))));
  return [line(names), rule, ...texts.map(line)].join('\n');
}
