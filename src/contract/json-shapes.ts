/**
 * Contract: what leaves the process as JSON for screens and scripts: the admin socket's answers and
 * the shapes of `--json`. Serialisable types only; they change by adding, and what is not known is
 * null. No secret stands in them, but for the key that `key generate` makes. Start reading here.
 */
import type { AskReport } from './ask-report.ts';
import type { BenchReport } from './bench-report.ts';
import type { CacheFlushReport, CacheReport } from './cache-report.ts';
import type { CompletionReport } from './completion-report.ts';
import type { ConnectReport } from './connect-report.ts';
import type { DecisionRecord, ExplainReport } from './decision-record.ts';
import type { DiscoverReport } from './discovered.ts';
import type { DoctorReport } from './doctor-report.ts';
import type { DrainReport } from './drain-report.ts';
import type { FailureReport } from './failure-report.ts';
import type { GenerateReport } from './generate-report.ts';
import type { InitReport } from './init-report.ts';
import type { KeyReport } from './key-report.ts';
import type { NameList } from './name-report.ts';
import type { AdviseReport, CompareReport, ReplayReport, SimulateReport } from './route-play.ts';
import type { StatsReport } from './route-stats.ts';
import type { RouteTestReport } from './route-test.ts';
import type { SettingList } from './setting-report.ts';
import type { StartReport } from './start-report.ts';
import type { ProviderList, ProviderStatus, StatusReport, ValidateReport } from './status.ts';
import type { StrategyChange, StrategyList } from './strategy-report.ts';
import type { UrlReport } from './url-report.ts';

/**
 * What each verb prints with `--json`. `schemas/commands` holds the JSON Schema of each, made from
 * these types. `failure` is what any of them prints where it could not do what it was asked.
 */
export type JsonShapes = {
  readonly up: StartReport;
  readonly status: StatusReport;
  readonly init: InitReport;
  readonly discover: DiscoverReport;
  readonly doctor: DoctorReport;
  readonly ask: AskReport;
  readonly why: DecisionRecord;
  readonly connect: ConnectReport;
  readonly validate: ValidateReport;
  readonly generate: GenerateReport;
  readonly 'config show': SettingList;
  readonly 'provider list': ProviderList;
  readonly 'provider show': ProviderStatus;
  readonly 'provider probe': UrlReport;
  readonly 'provider drain': DrainReport;
  readonly 'model list': NameList;
  readonly 'route explain': ExplainReport;
  readonly 'route stats': StatsReport;
  readonly 'route simulate': SimulateReport;
  readonly 'route replay': ReplayReport;
  readonly 'route compare': CompareReport;
  readonly 'route advise': AdviseReport;
  readonly 'route test': RouteTestReport;
  readonly 'strategy show': StrategyList;
  readonly 'strategy set': StrategyChange;
  readonly bench: BenchReport;
  readonly 'cache stats': CacheReport;
  readonly 'cache flush': CacheFlushReport;
  readonly 'key generate': KeyReport;
  readonly completion: CompletionReport;
  readonly failure: FailureReport;
};
