/** Types of the entry point, for editors and `tsc`; no replica serves them. */
import type { Connect, PageClient, Settings } from './lastmile/types.js';

export { Problem } from './lastmile/http.js';
export type {
  AckVia,
  Change,
  Clock,
  Connection,
  Environment,
  Events,
  Operation,
  Options,
  ProblemEvent,
  Received,
  Settings,
  State,
  Via,
} from './lastmile/types.js';

export declare const connect: Connect;
export declare const Client: new (settings: Settings) => PageClient;
export type Client = PageClient;
