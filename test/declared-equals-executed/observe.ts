import type { Files } from '../../scripts/reference/declared-rows.ts';
import { answered, bound, drained, kept, sent, viewed } from './observe-gateway.ts';
import { decided, generated, named, noted, tested, told, wentOn } from './observe-plan.ts';
import { probed } from './observe-probes.ts';
import { warmed } from './observe-warmth.ts';

/** Looks at what a configuration does; the same configuration looks the same each time. */
export type Observer = (input: { readonly files: Files; readonly ask: Readonly<Record<string, unknown>> }) => unknown;

/**
 * Who can see a key being executed, by the kinds of rows: a request goes elsewhere or is refused;
 * something that runs is otherwise; a view shows it, which is enough for words of people alone.
 */
export const observers: Readonly<Record<'routes' | 'runs' | 'shown', Readonly<Record<string, Observer>>>> = {
  routes: { decided, wentOn, warmed },
  runs: { sent, answered, probed, generated, bound, kept, drained, told, tested },
  shown: { viewed, named, noted },
};
