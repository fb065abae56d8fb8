/**
 * Types of the browser client: what a page uses, then the contract of each part. The modules implement these types and
 * comment only on how. For editors and `tsc`: no browser loads this file, and no replica serves it.
 */
import type { Problem } from './http.js';

/**
 * ```
 *  state       stream ready   stream lost   a list answers   a list fails
 *  connecting  live                         degraded         offline
 *  live                       degraded
 *  degraded    live                                          offline
 *  offline     live                         degraded
 * ```
 * Paused and closed clients are offline.
 */
export type State = 'connecting' | 'live' | 'degraded' | 'offline';

/** How a version reached this browser, as an ack reports it. */
export type AckVia = 'live' | 'replay' | 'poll';

/** How this tab learned a version. */
export type Via = AckVia | 'created';

/** An operation as the server sends it. */
export interface Received {
  operationId: string;
  kind: string;
  status: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  /** 0 to 100. */
  progress: number;
  message: string | null;
  result: unknown;
  /** 1 for the creation, then one more per change. */
  version: number;
  correlationId: string;
  /** ISO 8601, by the clock of Redis. */
  updatedAt: string;
  /** Absent from servers of older releases. */
  cursor?: string;
  /** W3C trace context of the publish. Only from the stream, as is the next one. */
  traceparent?: string;
  /** ISO 8601, by the clock of Redis. */
  publishedAt?: string;
}

/** An operation as a page sees it. `receivedAt` is in ms since 1970, by the browser's clock. */
export type Operation = Readonly<Received & { via: Via; receivedAt: number }>;

export interface Change {
  operation: Operation;
  previous: Operation | undefined;
  via: Via;
}

/** A snapshot of the connection. */
export interface Connection {
  /** The replica that holds the stream. */
  replica: string | null;
  epoch: string | null;
  /** Everything up to here is known; a stream resumes here. */
  cursor: string | null;
  /** ms since 1970; `ready` counts as a heartbeat. */
  lastHeartbeatAt: number | null;
  /** How often a stream became ready again. */
  reconnects: number;
  /** Whether this tab holds the browser's stream. */
  leader: boolean;
  /** Whether this tab receives messages of the tab that holds it. Neither of the two: this tab is paused or closed, or
   * no tab holds the stream at the moment. */
  following: boolean;
  /** Changes that did not arrive live, first loads excepted. */
  recovered: { replay: number; poll: number };
  /** Acks that the server has not confirmed. */
  acksPending: number;
  /** Acks that the server rejected, or that exceeded the limit of waiting acks. */
  acksDropped: number;
}

/**
 * What the client does about a problem:
 * - `retry`: it tries again by itself;
 * - `start-anew`: it takes another identity and replaces all state;
 * - `drop`: it drops acks that the server rejected;
 * - `give-up`: nothing (a creation rejects).
 */
export interface ProblemEvent {
  title: string;
  /** Status of HTTP; absent if there was no response. */
  status?: number;
  /** When the next try follows, or is welcome. */
  retryAfterSeconds?: number;
  action: 'retry' | 'start-anew' | 'drop' | 'give-up';
}

export interface Events {
  state: { state: State; previous: State };
  /** Once per visible change: the operation is new, or has another version. */
  operation: Change;
  /** The operation was deleted, or exceeded the limit. */
  removed: { operationId: string; operation: Operation };
  connection: Connection;
  problem: ProblemEvent;
}

export interface Clock {
  /** ms; never goes back. */
  now(): number;
  /** ms since 1970. */
  date(): number;
  setTimeout(run: () => void, millis: number): unknown;
  clearTimeout(id: any): void;
  /** From 0, below 1. */
  random(): number;
}

/** What the client uses of a browser; null: it does not exist. */
export interface Environment {
  fetch: typeof globalThis.fetch;
  EventSource: new (url: string) => EventSource;
  locks: Pick<LockManager, 'request'> | null;
  BroadcastChannel: (new (name: string) => BroadcastChannel) | null;
  sendBeacon: ((url: string, body: Blob) => boolean) | null;
  window: EventTarget | null;
  document: (EventTarget & { readonly visibilityState: string }) | null;
  clock: Clock;
}

/** Options that are numbers; docs/reference/client-library.md explains each. */
export interface Numbers {
  ackDelayMillis: number;
  pendingPollMillis: number;
  idlePollMillis: number;
  degradedPollMillis: number;
  retryMillis: number;
  retryMaxMillis: number;
  openMillis: number;
  requestMillis: number;
  leaderMillis: number;
  maxOperations: number;
}

/** All options, checked. */
export type Settings = { baseUrl: string; share: boolean } & Numbers & Environment;
export type Options = { [name in keyof Settings]?: Settings[name] | undefined };

/**
 * Opens the stream and keeps the operations up to date, until `close`. One client per page is enough.
 *
 * @throws RangeError an option is not a number, or is out of its limits
 * @throws TypeError another option has the wrong type, or there is no EventSource
 */
export type Connect = (options?: Options) => PageClient;

/** The client that a page uses. */
export interface PageClient {
  readonly state: State;
  /** Whether `pause` was called, and `resume` was not since. */
  readonly paused: boolean;
  readonly connection: Connection;
  /** A live view. */
  readonly operations: ReadonlyMap<string, Operation>;

  /**
   * Adds a listener and returns a function that removes it. An error of a listener is reported and affects no other.
   * Listeners run last in every step, when all state is consistent, so they may call anything.
   */
  on<T extends keyof Events>(type: T, listener: (event: Events[T]) => void): () => void;

  /**
   * Starts an operation. Without a response, or while the server is not available, the request is repeated with the same
   * key, five tries in all, so the operation is created once. A client that is paused or closed starts nothing. Rejects
   * with a `Problem`.
   *
   * @param options calls with the same `idempotencyKey` create one operation
   */
  create(kind: string, input?: object, options?: { idempotencyKey?: string }): Promise<Operation>;

  /** Requests the list of what changed, now: whether state as of this call or later was applied. Never rejects. */
  reconcile(): Promise<boolean>;

  /** Loses the browser's stream as a network fault would: it opens again after a pause. */
  drop(): void;

  /** Stops as a frozen tab does: no stream, lists, acks or new creations; another tab leads. */
  pause(): void;

  /** Ends `pause` and reconciles. */
  resume(): void;

  /** Ends everything and sends waiting acks. No listener is called any more. Further calls do nothing. */
  close(): void;
}

// The parts of a client.


/** The parts of one client, each of which reaches the others here. */
export interface Parts {
  settings: Settings;
  http: Http;
  operations: Operations;
  stream: Stream;
  reconciler: Reconciler;
  acks: Acks;
  tabs: Tabs;
  status: Status;
  notifier: Notifier;
  lifecycle: Lifecycle;
}

/** At most one pending call. */
export interface Timer {
  /** When it runs; Infinity: not started. */
  at: number;
  start(millis: number): void;
  stop(): void;
}

/** Pauses that double. Each is random in its upper half, so that clients do not synchronise. */
export interface Backoff {
  tries: number;
  /**
   * The next pause, ms.
   *
   * @param retryAfterSeconds the minimum that the server wants; it tells all clients the same, so a random delay is added
   */
  next(retryAfterSeconds?: number): number;
}

/** Requests with a time limit. Every failure is a `Problem`. */
export interface Http {
  /** Resolves to the JSON document; null if the response is empty. */
  send(
    method: 'GET' | 'POST',
    path: string,
    more?: { body?: unknown; key?: string; keepalive?: boolean; abort?: AbortController },
  ): Promise<any>;
}

/** The operations that this tab knows, and the cursor up to which it knows everything. */
export interface Operations {
  all: Map<string, Operation>;
  epoch: string | null;
  /** The term of the newest event or answer. */
  term: string | null;
  /** The tick at which it began. */
  termTick: number;
  /** The stream has brought everything up to this sequence, or began there. */
  streamed: number;
  readonly cursor: string | null;
  /** The newest update that was shown in an earlier term, until a list tells whether it was lost. */
  unverified: string | null;
  /** What a list has to name: a shown update that is unverified or above the cursor. */
  readonly shown: string | null;
  /** The highest sequence received. One that is higher by more than 1 shows a gap. */
  seen: number;
  restarts: number;
  /** Whether a complete read has been applied since the last restart. */
  loaded: boolean;
  /** A logical time: later confirmations have a higher one. */
  tick(): number;
  hasPending(): boolean;
  /** Makes all operations stale. */
  restart(epoch: string | null): void;
  /** Restarts if it is another epoch than the current one. */
  enterEpoch(epoch: string): void;
  /** All operations are replaced in this term: no cursor is known, and nothing is unverified. */
  replace(term: string | null): void;
  /** Begins a term in which nothing has to be checked. */
  startTerm(term: string | null): void;
  /** Whether a term of this epoch was left. */
  isOver(term: string): boolean;
  forgetTerms(): void;
  /**
   * Enters a term; nothing if it is the current one. Restarts if an update of an earlier term is still unverified.
   *
   * @param verified up to this sequence the server has checked that nothing was lost
   * @returns whether more is shown, so that a list has to tell
   */
  enterTerm(term: string, verified: number): boolean;
  /** Whether an operation was read in the current term. */
  isOfTerm(received: Received): boolean;
  /**
   * Returns nothing if nothing visible changed.
   *
   * @param before operations confirmed before this tick are replaced by any version
   */
  merge(received: Received, via: Via, before?: number): Change[];
  /**
   * Ends a complete read: removes and returns what it did not confirm.
   *
   * @param before removes what was not confirmed since this tick, stale or not
   */
  prune(before?: number): Operation[];
  /** Removes and returns what exceeds the limit: final ones first, as on the server, then the oldest. */
  evict(): Operation[];
  /** Whether a sequence is at most one after the cursor. */
  isNext(sequence: number): boolean;
  /** Everything up to this cursor of the epoch is known. */
  advance(cursor: string): void;
  /** Nothing is certain. */
  forget(): void;
  see(sequence: number): void;
}

export type StreamEvent = 'ready' | 'update' | 'reset' | 'heartbeat';

/** Why a stream was lost. */
export type Loss = 'broken' | 'refused' | 'silent';

/** Keeps one stream open and applies its events. */
export interface Stream {
  ready: boolean;
  /** The epoch of this tab's stream. */
  epoch: string | null;
  /** Opens a stream; replaces one that is open. */
  open(): void;
  close(): void;
  /** Loses the stream as a network fault would. */
  drop(): void;
  /** Checks the deadline now: timers of a hidden or sleeping page are late. */
  check(): void;
  /**
   * Applies an event: of this tab's own stream, or of the leader's.
   *
   * @param id of the last event that had one
   */
  apply(type: StreamEvent, text: string, id: string): void;
}

/** A list of operations, or one page of it. */
export interface List {
  cursor: string;
  reset: boolean;
  /** Where the next page begins; absent on the last one. */
  next?: string;
  operations: Received[];
}

/** A list of which pages are missing. */
export interface Reading {
  /** `restarts` of the operations; another number makes it void. */
  restarts: number;
  /** Parameters of the next page. */
  query: string;
  /** `shown` and `term` of the operations at the first page. */
  shown: string | null;
  term: string | null;
  /** The highest sequence that the parameters name. */
  verified: number;
  /** Whether its first page replaces all operations. */
  replaces: boolean;
  /** When it began. */
  tick: number;
  /** Operations that were confirmed before this tick are replaced or removed. */
  before: number;
}

/** Requests the list of what changed: at once, soon, and at intervals. */
export interface Reconciler {
  start(): void;
  /** Aborts the current request; its promise resolves to false. */
  stop(): void;
  /** Whether a list requested after this call was applied; never rejects. */
  now(): Promise<boolean>;
  /**
   * Requests a list after a random delay, for what happens to many clients at once. The pause after a list that failed
   * goes on.
   *
   * @param available the server answers again, so that pause ends
   */
  soon(available?: boolean): void;
  /** Adjusts the time of the next list: the interval may have changed. */
  schedule(): void;
}

export interface Ack {
  operationId: string;
  version: number;
  via: AckVia;
}

/** Acks: which versions this browser has applied, waiting and sent in batches. */
export interface Acks {
  readonly pending: number;
  dropped: number;
  start(): void;
  /** Waiting acks are kept. */
  stop(): void;
  /** Another tab has sent these. */
  forget(acks: Ack[]): void;
  /** Forgets all: they belong to another epoch or identity. */
  clear(): void;
  /** Sends waiting acks without delay. */
  flush(): void;
  /** The version was applied. */
  add(received: Received, via: AckVia): void;
  /** Hands waiting acks to the browser, which sends them even if the page never runs again. */
  leave(): void;
}

/** The tabs of a browser, of which one leads; applies the messages of the others. */
export interface Tabs {
  leading: boolean;
  /** Whether messages of a leader arrive. */
  following: boolean;
  /** A leader is silent after so long without a message. */
  silentMillis: number;
  join(): void;
  leave(): void;
  /** Sends a message to all other tabs. */
  send(message: object): void;
  /** Asks for the leader, which answers within `leaderMillis` or is replaced. */
  check(): void;
}

/**
 * Facts about the browser's stream and acks. A leader sends them to the other tabs, so that the next leader continues.
 * Those tabs may run another version of these modules: keep the names.
 */
export interface Facts {
  ready: boolean;
  /** Whether the server answered last; null: not asked yet. */
  reached: boolean | null;
  replica: string | null;
  lastHeartbeatAt: number | null;
  silentMillis: number;
  readies: number;
  recovered: { replay: number; poll: number };
  acksPending: number;
  acksDropped: number;
}

/** The client's state, and the facts that it follows from. */
export interface Status {
  state: State;
  shared: Facts;
  /** The facts as of now: this tab's own, or the leader's. */
  readonly facts: Facts;
  readonly connection: Connection;
  /** Call it after any change of facts: schedules the next list, computes the state, notifies. */
  changed(): void;
}

/** Tells the page's listeners what happened. */
export interface Notifier {
  on: PageClient['on'];
  /** Removes all listeners. */
  clear(): void;
  emit<T extends keyof Events>(type: T, event: Events[T]): void;
  /** `recovering`: replay and poll count as recovered; not during a first load. */
  changes(changes: Change[], removed?: Operation[], recovering?: boolean): void;
  /** Tells the other tabs, too, if this one leads. */
  problem(problem: Problem, action: ProblemEvent['action'], retryMillis?: number): void;
}

export type StopReason = 'paused' | 'hidden' | 'closed';

/** Starts and stops the parts: with the page, by `pause` and `close`, and for another identity. */
export interface Lifecycle {
  running: boolean;
  isStopped(reason: StopReason): boolean;
  /** `ended`: the reason to stop that has ended. */
  start(ended?: StopReason): void;
  stop(reason: StopReason): void;
  /** Stops, and sends waiting acks. */
  leave(reason: StopReason): void;
  close(): void;
  /** This tab leads from now on. */
  onLead(): void;
  /** This tab has led, and another one leads now. */
  onLeadLost(): void;
  /** The server accepts the current identity. */
  identityAccepted(): void;
  /** Asks the server for another identity: whether there is one; never rejects. */
  renewIdentity(): Promise<boolean>;
  /** Another identity has another channel: discards all state. */
  startAnew(): void;
}
