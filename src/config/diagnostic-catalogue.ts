import type { Diagnostic } from './diagnostic.ts';

/** A stable name of one kind of finding. */
export type DiagnosticCode =
  | 'yaml-syntax'
  | 'duplicate-key'
  | 'unknown-key'
  | 'misplaced-key'
  | 'wrong-type'
  | 'missing-key'
  | 'file-not-read'
  | 'no-sources'
  | 'unreadable-file'
  | 'bad-url'
  | 'bad-port'
  | 'port-conflict'
  | 'unset-variable'
  | 'secret-unset'
  | 'secret-weak'
  | 'secret-in-file'
  | 'unknown-provider'
  | 'unknown-model'
  | 'ambiguous-model'
  | 'ambiguous-fallback'
  | 'duplicate-name'
  | 'alias-collision'
  | 'cyclic-alias'
  | 'conflicting-declarations'
  | 'unreachable-name'
  | 'unsatisfied-capability'
  | 'empty-pool'
  | 'inactive-provider'
  | 'bad-regex'
  | 'non-linear-regex'
  | 'unknown-strategy'
  | 'not-executed-yet'
  | 'bad-condition'
  | 'unknown-variable'
  | 'cyclic-fallback'
  | 'unknown-fallback'
  | 'weights-sum'
  | 'timeouts-order'
  | 'unknown-limit-name'
  | 'limit-by-pattern'
  | 'metadata-count'
  | 'budget-without-price'
  | 'bad-size'
  | 'unsupported-provider'
  | 'unknown-prefix'
  | 'unknown-credential'
  | 'no-names'
  | 'key-not-executed'
  | 'key-ignored'
  | 'cache-key-idle'
  | 'unknown-cached-name'
  | 'generated-file-edited'
  | 'edited-setting'
  | 'host-narrowed'
  | 'state-elsewhere';

/** What a code means for everybody. */
export type CatalogueEntry = {
  readonly severity: Diagnostic['severity'];
  /** Whether `--lenient` turns it into a warning. */
  readonly lenient: boolean;
  /** One or two sentences for the reference: what it means, what to do. */
  readonly meaning: string;
};

const error = (meaning: string): CatalogueEntry => ({ severity: 'error', lenient: false, meaning });
const lenient = (meaning: string): CatalogueEntry => ({ severity: 'error', lenient: true, meaning });
const warning = (meaning: string): CatalogueEntry => ({ severity: 'warning', lenient: false, meaning });
const note = (meaning: string): CatalogueEntry => ({ severity: 'note', lenient: false, meaning });

/** Codes about what one place says of another: they mean nothing while a file cannot be read. */
export const referenceCodes: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'unknown-provider',
  'unknown-model',
  'unknown-fallback',
  'unknown-variable',
  'unknown-limit-name',
  'unknown-credential',
  'limit-by-pattern',
  'ambiguous-model',
  'ambiguous-fallback',
  'empty-pool',
  'unreachable-name',
  'unsatisfied-capability',
  'metadata-count',
  'no-names',
]);

/** Every diagnostic of the configuration; docs/reference/diagnostics.md is written from it. */
export const diagnosticCatalogue: Readonly<Record<DiagnosticCode, CatalogueEntry>> = {
  'yaml-syntax': error('The file is not YAML, or uses tags or aliases beyond what a configuration needs.'),
  'duplicate-key': lenient('A key stands twice in one map; YAML readers differ in which they take. Keep one.'),
  'unknown-key': error(
    'No such key exists here, so it would do nothing. Correct it, or begin it with x- if it is a note of your own.',
  ),
  'misplaced-key': lenient('The key belongs to another section and would do nothing here. Move it.'),
  'wrong-type': error('The value has another type or form than the key takes.'),
  'missing-key': error('A key that is needed is missing.'),
  'file-not-read': note('The file stands in the configuration folder but is none that is read.'),
  'no-sources': error('There is no configuration file where one was named.'),
  'unreadable-file': error('A file of the configuration, or one that it includes, is not there or cannot be read.'),
  'bad-url': error('An address is not an http or https URL.'),
  'bad-port': error('A port is not a number from 1 to 65535.'),
  'port-conflict': warning('Two services are declared on one port of this machine.'),
  'unset-variable': error('The text refers to an environment variable that is not set and gives no default.'),
  'secret-unset': warning(
    'A key is read from an environment variable that is not set here. The service may have it; a deployment without its key starts as down.',
  ),
  'secret-weak': warning('The master key is publicly known or very short. It is served on loopback only.'),
  'secret-in-file': warning(
    'A secret stands in the file itself. Put it into an environment variable and refer to that.',
  ),
  'unknown-provider': error('No provider of that name, type or group is declared.'),
  'unknown-model': error('No model of that name is declared at any provider.'),
  'ambiguous-model': error('The reference fits several models and nothing says which. Name one with backend_model.'),
  'ambiguous-fallback': warning('The fallback fits several models; the first declared one serves.'),
  'duplicate-name': error('Two entries of one kind have the same name.'),
  'alias-collision': error('An alias, capability or pseudo-name equals the name of something else.'),
  'cyclic-alias': error('Aliases stand for each other, and for nothing else.'),
  'conflicting-declarations': error('Two sections say different things about one name.'),
  'unreachable-name': warning('Nothing can answer this name.'),
  'unsatisfied-capability': warning(
    'No model of a capability is as large, or has as much context, as it asks for; answers are marked as degraded.',
  ),
  'empty-pool': error('A pool has no member that exists.'),
  'inactive-provider': note(
    'The entry refers to a provider that is not active; its names are answered by their fallbacks.',
  ),
  'bad-regex': error('The pattern is not a regular expression.'),
  'non-linear-regex': error('The pattern needs lookaround or backreferences, which cannot be matched in linear time.'),
  'unknown-strategy': error('No strategy has that name.'),
  'not-executed-yet': warning('The key is known and checked, but this version does not execute it yet.'),
  'bad-condition': error('The condition cannot be read.'),
  'unknown-variable': error('The condition asks for a variable that does not exist.'),
  'cyclic-fallback': error('Fallbacks lead back to where they began.'),
  'unknown-fallback': error('A fallback names something that does not exist.'),
  'weights-sum': note('The weights of a pool do not add up to 1; their proportions count.'),
  'timeouts-order': warning('A limit in time is longer than the one that contains it, so it would never be reached.'),
  'unknown-limit-name': error('A limit names something that no request reaches.'),
  'limit-by-pattern': note('A limit names something that only a pattern or a size rule reaches.'),
  'budget-without-price': warning('A budget is for models without a price, whose answers it cannot count.'),
  'metadata-count': note('A count in the metadata differs from what is declared.'),
  'bad-size': error('A size is not a number of parameters such as "7B".'),
  'unsupported-provider': lenient(
    'The provider needs signed requests, which are not offered; its deployments are left out.',
  ),
  'unknown-prefix': lenient('The part before the first slash names no provider that is known.'),
  'unknown-credential': error('A deployment names an entry of credential_list that is not there.'),
  'no-names': warning('Nothing declares a model, a pattern or a default provider, so every request gets 404.'),
  'key-not-executed': lenient(
    'A LiteLLM key whose absence would change who answers, who may ask, a limit, an answer or a cost is not executed.',
  ),
  'key-ignored': warning('A LiteLLM key that changes no route, right, limit, answer or cost is not executed.'),
  'cache-key-idle': warning('A key of the cache has no effect, since the cache is off or of another kind.'),
  'unknown-cached-name': warning('A time in the cache is for a name that no request asks for.'),
  'generated-file-edited': error(
    'A part of the generated file that belongs to another source was changed by hand. Change the source: nothing executes the edit, and generate replaces the file with --force alone.',
  ),
  'edited-setting': note(
    'A setting was edited in the generated file, and holds in place of what the sources say. Generating the file anew keeps it.',
  ),
  'state-elsewhere': warning('State and logs cannot be kept beside the configuration, and are kept elsewhere.'),
  'host-narrowed': warning('The file asks for a wider address than loopback while no key is set; loopback is served.'),
};
