// Figures of a run beside those of the baseline.
const worstRatio = 1.3;

/** Prints each figure with its ratio to the baseline; gives the names of the ratios that became worse. */
export function compare(run, baseline, print) {
  print(`against ${baseline.date}, ${baseline.machine}, Node ${baseline.node}`);
  const isSameSize = JSON.stringify(run.sizes) === JSON.stringify(baseline.sizes);
  if (!isSameSize) print('the sizes differ: what is read has other costs, so nothing is judged');
  const line = (name, value, before) => `${name.padEnd(45)} ${format(value)} ${format(before)} ${format(value / before)}`;
  print(`${''.padEnd(45)} ${'now'.padStart(10)} ${'baseline'.padStart(10)} ${'ratio'.padStart(10)}`);
  for (const [name, value] of Object.entries(run.values)) print(line(name, value, baseline.values[name]));
  const worse = [];
  for (const [name, value] of Object.entries(run.ratios)) {
    const isWorse = isSameSize && value > baseline.ratios[name] * worstRatio;
    if (isWorse) worse.push(name);
    print(`${line(name, value, baseline.ratios[name])}${isWorse ? `  worse than ${worstRatio} times the baseline` : ''}`);
  }
  return worse;
}

const format = (value) => (value === undefined || Number.isNaN(value) ? '-' : value.toPrecision(4)).padStart(10);
