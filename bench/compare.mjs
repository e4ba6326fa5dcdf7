// Figures of a run beside those that were kept.
const worstRatio = 1.3;

/**
 * Prints each figure with its ratio to the kept one; gives the names of the ratios that became worse. Smaller is better
 * unless a goal says `atLeast`.
 */
export function compare(run, baseline, { goals = {}, print }) {
  print(`against ${baseline.date}, ${baseline.machine}, Node ${baseline.node}`);
  const isSameSize = JSON.stringify(run.sizes) === JSON.stringify(baseline.sizes);
  if (!isSameSize) print('the sizes differ, and with them the costs, so nothing is judged');
  const line = (name, value, before) => `${name.padEnd(50)} ${format(value)} ${format(before)} ${format(value / before)}`;
  print(`${''.padEnd(50)} ${'now'.padStart(10)} ${'kept'.padStart(10)} ${'ratio'.padStart(10)}`);
  for (const [name, value] of Object.entries(run.values)) print(line(name, value, baseline.values[name]));
  const worse = [];
  for (const [name, value] of Object.entries(run.ratios)) {
    const before = baseline.ratios[name];
    const change = goals[name]?.atLeast === undefined ? value / before : before / value;
    const isWorse = isSameSize && change > worstRatio;
    if (isWorse) worse.push(name);
    print(`${line(name, value, before)}${isWorse ? `  worse than ${worstRatio} times what was kept` : ''}`);
  }
  return worse;
}

const format = (value) => (value === undefined || Number.isNaN(value) ? '-' : value.toPrecision(4)).padStart(10);
