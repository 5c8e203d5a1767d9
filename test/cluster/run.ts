/**
 * Days of a scripted cluster, checked: `npm run soak -- --days 7 --seed 1 --requests 20000`.
 * Prints what went through, and what does not hold; its exit code says whether all did.
 */
import { parseArgs } from 'node:util';
import { soak } from './cluster.ts';
import { broken, tallied } from './invariants.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    requests: { type: 'string', default: '10000' },
  },
});
const soaking = { days: Number(values.days), seed: Number(values.seed), requestsPerDay: Number(values.requests) };
console.log(soaking);
const soaked = await soak(soaking);
console.dir(tallied(soaked), { depth: 4 });
const failures = broken(soaked);
console.log(Object.keys(failures).length === 0 ? 'everything holds' : failures);
process.exitCode = Object.keys(failures).length === 0 ? 0 : 1;
