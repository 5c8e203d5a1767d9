import type { Condition } from '../plan/condition.ts';
import { nearest } from '../plan/nearest.ts';
import { neverTrue } from './comparable.ts';
import { conditionVariables, parseCondition } from './condition-parser.ts';
import { type Lowering, tellerAbout } from './lowering.ts';
import type { Reference } from './reference.ts';
import { providersNamed } from './references.ts';

/** Reads a condition; one that cannot be read is told, and whatever hangs on it takes part no longer. */
export function readCondition(
  { name: source, at }: Reference,
  { inventory, findings }: Lowering,
): Condition | undefined {
  const parsed = parseCondition(source);
  switch (parsed.kind) {
    case 'condition': {
      const missing = parsed.providers.find((one) => providersNamed(inventory, one).length === 0);
      const never = neverTrue(parsed.condition.expression);
      if (never !== undefined) {
        findings.add('bad-condition', at, `The condition "${source}" asks what never is: ${never}`, { found: source });
        return undefined;
      }
      if (missing === undefined) return parsed.condition;
      const [near] = nearest(missing, inventory.providers.keys(), 1);
      tellerAbout(missing, { findings, inventory }).add(
        'unknown-provider',
        at,
        `The condition asks whether "${missing}" is unavailable, and no provider is called so`,
        {
          found: missing,
          nearest: near,
          ...(near === undefined ? {} : { fix: `Write "${near}_unavailable"` }),
        },
      );
      return inventory.broken.has(missing) ? parsed.condition : undefined;
    }
    case 'syntax':
      findings.add('bad-condition', at, `The condition "${source}" cannot be read: ${parsed.message}`, {
        found: source,
        wanted: 'comparisons joined by AND, OR and NOT, such as: tokens > 100 AND stream == true',
      });
      return undefined;
    case 'unknown': {
      const [near] = nearest(parsed.name, conditionVariables, 1);
      findings.add('unknown-variable', at, `No variable is called "${parsed.name}"`, {
        found: parsed.name,
        nearest: near,
        wanted: `one of ${conditionVariables.join(', ')}, header.NAME, PROVIDER_unavailable`,
      });
      return undefined;
    }
  }
}
