/** The words that documents and comments avoid, and the term to use instead. */

/** @typedef {{pattern: RegExp, say: string, not?: RegExp}} Rule `not`: paths to which the rule does not apply */

const word = (words) => new RegExp(`\\b(?:${words})\\b`, 'gi');
const exactly = (words) => new RegExp(`(?<![\\w.])(?:${words})(?![\\w])`, 'g');

/** The texts of the demo page name a fault by one of these words. */
const DEMO_PAGE = /(^|\/)demo\/.*\.(html|js|css)$/;
/** The changelog lists old names. */
const CHANGELOG = /(^|\/)CHANGELOG\.md$/;

// Between "what" and "is": one to four words, none of which begins a clause of its own ("what happens when Redis is"),
// and not only a pronoun ("what it is" is a question).
const SUBJECT = '(?!(?:it|they|this|that|there)\\s+(?:is|are|was|were)\\b)(?:(?!when|while|if|because|that|which|how|where|is|are)[^\\s.,:;?!()|\\0]+\\s+){1,4}';

/** @type {Rule[]} */
export const WORDS = [
  { pattern: word('who|whom|whoever|nobody|somebody|he|him|his|himself'), say: 'name the part or the role' },
  { pattern: new RegExp(`\\bwhat\\s+${SUBJECT}(?:is|are|was|were)\\b(?![^.:;|\\0]*\\?)`, 'gi'), say: 'name the thing itself' },
  { pattern: word('hears?|heard|hearing|deaf'), say: 'a mechanism receives, or is stalled', not: DEMO_PAGE },
  { pattern: word('thinks|believes'), say: 'a mechanism has a state or a value' },
  { pattern: word('time-outs?|time outs?'), say: 'timeout' },
  { pattern: word('web[ -]hooks?'), say: 'webhook' },
  { pattern: word('heart[ -]beats?'), say: 'heartbeat' },
  { pattern: word('life[ -]cycles?'), say: 'lifecycle' },
  { pattern: exactly('pubsub|pub-sub|pub/sub|PubSub'), say: 'Pub/Sub' },
  { pattern: exactly('Open Telemetry|Opentelemetry'), say: 'OpenTelemetry' },
  { pattern: exactly('Javascript|javascript'), say: 'JavaScript' },
];

/** Names that no longer exist. The left side is a regular expression. */
const OLD_NAMES = {
  Doors: 'StreamAdmission',
  BatchClose: 'StaggeredCloser',
  DeltaReads: 'StateReader',
  RedisLink: 'RedisConnection',
  Redial: 'ReconnectingConnection',
  Reconnector: 'ReconnectingConnection',
  ApplyCall: 'UpdateCall',
  'apply\\.lua': 'create.lua and change.lua, with update.lua in front',
  ChannelConnections: 'ChannelStreams',
  FlushPace: 'CommandBatcher',
  RedisAwayException: 'RedisUnavailableException',
  NoticeBoard: 'ExpiringKeyValues',
  NewState: 'StateChange',
  PointerCache: 'OperationMetadataCache',
  standingStill: 'withConsistentSnapshot',
  HEARS: 'RECEIVING',
  DEAF: 'STALLED',
  ALL_DEAF: 'ALL_STALLED',
  ReadRequest: 'BufferedRequest',
  SlowClients: 'SlowClientGuard',
  ServletThreads: 'VirtualThreadHandoff',
  ReadableCookies: 'CookieValidator',
  NoTraceFilter: 'HttpTraceMethodFilter',
  BorderTest: 'ModularityTest',
  PushUseless: 'PushDegraded',
  ReplicaDeaf: 'ReplicaNotReceiving',
  RedisAway: 'RedisUnreachable',
  ClientsLeaving: 'ClientDeliveriesFailing',
  'lastmile\\.external(?!-system)': 'lastmile.jobs',
  'lastmile\\.coordination': 'lastmile.fan-out',
  'dev\\.lastmile\\.coordination': 'dev.lastmile.redis, .store, .ledger or .pubsub',
  'dev\\.lastmile\\.connections': 'dev.lastmile.streams',
  'dev\\.lastmile\\.external': 'dev.lastmile.jobs',
  'dev\\.lastmile\\.contract': 'dev.lastmile.http',
};

/** Old names that are also English words. They mean the class or script only `as code`. */
const OLD_NAMES_IN_CODE = {
  Expectations: 'PendingDeliveries',
  Lane: 'DispatchWorker',
  Deliveries: 'DeliveryLedger',
  Answer: 'ScriptReply',
  Answers: 'ReplyAwaiter',
  Draft: 'NewOperation',
  'Pointers?': 'OperationMetadata',
  Announcements: 'RedisPresence',
  Settles: 'SettlementQueue',
  Account: 'LedgerTotals',
  Hearing: 'SubscriptionMonitor',
  Bodies: 'RequestBodyReader',
  Refusals: 'RejectionMetrics',
  Identities: 'IdentityTokens',
  Scene: 'BrowserTest',
  Stage: 'BrowserEnvironment',
  Crowd: 'SimulatedBrowsers',
  Books: 'LedgerAudit',
  'cover(?:\\.lua)?': 'find_expected.lua',
  'note\\.lua': 'append_timeline.lua',
  'collect(?:\\.lua)?': 'reap_incarnation.lua',
  'retire(?:\\.lua)?': 'delete_replica_totals.lua',
};

const renamed = (names, edge) =>
  Object.entries(names).map(([old, now]) => ({ pattern: edge(old), say: `is now ${now}`, not: CHANGELOG }));

/** @type {Rule[]} */
export const NAMES = renamed(OLD_NAMES, exactly);
/** Rules for code spans, including their backticks. @type {Rule[]} */
export const NAMES_IN_CODE = renamed(OLD_NAMES_IN_CODE, (old) => new RegExp(`(?<=\`)(?:${old})(?=\`)`, 'g'));

/**
 * @param {Rule[]} rules
 * @param {string} text
 * @param {string} path relative to the repository
 * @returns {{index: number, message: string}[]}
 */
export function find(rules, text, path) {
  return rules
    .filter(({ not }) => !not?.test(path))
    .flatMap(({ pattern, say }) =>
      [...text.matchAll(pattern)].map((match) => ({
        index: match.index,
        message: `"${match[0].replace(/\s+/g, ' ')}": ${say}`,
      })),
    );
}
