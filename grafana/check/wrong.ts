// What must not compile: if one of these does, the check of the boards has a hole.
import type { Board } from './board.ts';

type Panel = Board['panels'][number];
type Stat = Extract<Panel, { type: 'stat' }>;
type Lines = Extract<Panel, { type: 'timeseries' }>;

// @ts-expect-error: no such kind of panel
const kind: Panel['type'] = 'singlestat';
// @ts-expect-error: no such value
const value: Stat['options']['colorMode'] = 'backgrounds';
// @ts-expect-error: an option of another kind
const option: Partial<Lines['options']> = { graphMode: 'none' };
// @ts-expect-error: no such unit
const unit: Stat['fieldConfig']['defaults'] = { unit: 'percentunits' };
// @ts-expect-error: a kind without lines has no width of lines
const custom: Stat['fieldConfig']['defaults'] = { custom: { lineWidth: 1 } };
// @ts-expect-error: a datasource is a variable
const datasource: Stat['datasource'] = { type: 'prometheus', uid: 'prometheus' };
// @ts-expect-error: a query of Loki
const query: Partial<Stat['targets'][number]> = { queryType: 'range' };
// @ts-expect-error: the schema that file provisioning takes
const version: Board['schemaVersion'] = 39;

export { custom, datasource, kind, option, query, unit, value, version };
