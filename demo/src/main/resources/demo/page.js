// @ts-check
/** Puts the page together: one client, one view of the cluster, and a section for each. */
import { connect } from '/lastmile.js';
import { AccountSection } from './account.js';
import { ConnectionSection } from './connection.js';
import { announce } from './dom.js';
import { FaultsSection } from './faults.js';
import { OperationsSection } from './operations.js';
import { keepPlace } from './place.js';
import { Server } from './server.js';
import { Story } from './story.js';

keepPlace();
const client = connect();
const server = new Server();
const operations = new OperationsSection(client, server);
new ConnectionSection(client);
new AccountSection(client, server, operations);
new FaultsSection(server);
new Story(client, server, operations);

/** Whether something was said of the connection: that a page begins well needs no word. */
let said = false;
client.on('state', ({ state }) => {
  if (state !== 'connecting' && (said || state !== 'live')) {
    said = true;
    announce(`The connection is ${state}.`);
  }
});
server.start();

// For a look from the browser's console, and for the tests.
Object.assign(globalThis, { lastmile: client });
