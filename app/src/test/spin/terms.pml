/*
 * Terms of one partition, for one channel: may a client continue, or must it replace its state?
 *
 * A server has the state of the channel and the meta of the partition. A replica has an older state of the server that
 * it replicates: a prefix of its writes. A promotion gives a server a term of its own; the server whose writes it last
 * had is the term before (master_replid2). A server that was cut off stays a primary for the clients that reach it.
 *
 * On a cluster the partition moves between two primaries with all that it has, and may come back. So the name of a term
 * is the server's term and a number, which is one more than that of the term before.
 *
 * A script runs on a primary, reads the term of the server, and records it if it is not the last one that is recorded.
 *
 * LIMIT     steps of a run
 * MINIMAL   checks also that only clients are replaced that had seen what was lost
 * HEAD_ONLY the wrong rule: a client continues if its sequence is at most the present head
 */
#define SERVERS 3
#define HEADS 3      /* sequences per channel */
#define TERMS 5      /* promotions, the first primaries included */
#define NUMBERS 16   /* a name is term * NUMBERS + number */
#define CLIENTS 2

typedef ServerState {
  byte head;
  byte log[4];       /* sequence -> id of the update, 1 to HEADS */
  byte terms;        /* number of recorded terms */
  byte order[9];     /* names of the recorded terms, oldest first */
  byte found[9];     /* of each, the head that its first change found, plus 1; 0 = no change in it */
};

ServerState server[SERVERS];
byte term[SERVERS];   /* the term of a primary; of a replica, of the primary whose writes it has */
byte before[SERVERS]; /* the term whose writes it had when it was promoted */
bool primary[SERVERS];
bool gone[SERVERS];   /* another primary has the partition */

typedef ClientState {
  byte term;         /* a name; 0 = has nothing */
  byte shown;        /* highest sequence that was shown */
  byte seen[4];      /* sequence -> id that was shown; 0 = none */
};
ClientState client[CLIENTS];

byte nextTerm = 3;
byte nextId = 1;
byte steps = 0;

inline copyState(from, into) {
  server[into].head = server[from].head;
  i = 0;
  do
  :: i < 4 -> server[into].log[i] = server[from].log[i]; i++
  :: else -> break
  od;
  server[into].terms = server[from].terms;
  i = 0;
  do
  :: i < 9 -> server[into].order[i] = server[from].order[i]; i++
  :: else -> break
  od;
  i = 0;
  do
  :: i < 9 -> server[into].found[i] = server[from].found[i]; i++
  :: else -> break
  od
}

inline copy(from, into) {
  copyState(from, into);
  term[into] = term[from];
  gone[into] = gone[from]
}

/* The partition moves, and its old primary and all replicas of that have it no longer. */
inline move(from, into) {
  copyState(from, into);
  gone[into] = false;
  i = 0;
  do
  :: i < SERVERS ->
    gone[i] = (gone[i] || (i != into && term[i] == term[from]));
    i++
  :: else -> break
  od
}

inline isKnown(at, which) {
  known = false;
  i = 0;
  do
  :: i < server[at].terms -> known = (known || server[at].order[i] == which); i++
  :: else -> break
  od
}

inline add(at, which) {
  server[at].order[server[at].terms] = which * NUMBERS + 1 +
    (server[at].terms > 0 -> server[at].order[server[at].terms - 1] % NUMBERS : 0);
  server[at].found[server[at].terms] = 0;
  server[at].terms++
}

#define LAST_IS(at, which) (server[at].terms > 0 && server[at].order[server[at].terms - 1] / NUMBERS == which)

/* What every script does first. */
inline record(at) {
  if
  :: LAST_IS(at, term[at]) -> skip
  :: else ->
    if
    :: before[at] != 0 && !LAST_IS(at, before[at]) -> add(at, before[at])
    :: else -> skip
    fi;
    add(at, term[at])
  fi
}

inline change(at) {
  record(at);
  if
  :: server[at].found[server[at].terms - 1] == 0 -> server[at].found[server[at].terms - 1] = server[at].head + 1
  :: else -> skip
  fi;
  server[at].head++;
  server[at].log[server[at].head] = nextId;
  nextId++
}

/* The head at which the channel left the term of a client; or the head, in the term itself. */
inline leftHead(at, which) {
  left = server[at].head;
  i = server[at].terms;
  do
  :: i > 0 && server[at].order[i - 1] != which ->
#ifndef HEAD_ONLY
    if
    :: server[at].found[i - 1] > 0 -> left = server[at].found[i - 1] - 1
    :: else -> skip
    fi;
#endif
    i--
  :: else -> break
  od
}

/* A client reads the changes after its position: it continues, or it replaces its state. */
inline read(who, at) {
  record(at);
  isKnown(at, client[who].term);
  leftHead(at, client[who].term);
  mayContinue = client[who].term != 0 && known && client[who].shown <= left;
  same = true;
  i = 1;
  do
  :: i <= HEADS ->
    same = same && (client[who].seen[i] == 0 || (i <= server[at].head && client[who].seen[i] == server[at].log[i]));
    i++
  :: else -> break
  od;
  assert(!mayContinue || same);
#ifdef MINIMAL
  /* With records that survive, only a client that had seen what was lost is reset. */
  assert(client[who].term == 0 || mayContinue || !same || !known);
#endif
  i = 1;
  do
  :: i <= HEADS ->
    if
    :: i <= server[at].head -> client[who].seen[i] = server[at].log[i]
    :: else -> client[who].seen[i] = 0
    fi;
    i++
  :: else -> break
  od;
  client[who].shown = server[at].head;
  client[who].term = server[at].order[server[at].terms - 1]
}

init {
  byte i, s, p, c, left;
  bool known, mayContinue, same;
  primary[0] = true;
  primary[2] = true;
  gone[2] = true;
  term[0] = 1;
  term[1] = 1;
  term[2] = 2;
  do
  :: steps < LIMIT ->
    steps++;
    select(s : 0 .. SERVERS - 1);
    select(p : 0 .. SERVERS - 1);
    select(c : 0 .. CLIENTS - 1);
    if
    :: atomic { primary[s] && !gone[s] && server[s].head < HEADS -> change(s) }
    :: atomic { primary[s] && !gone[s] -> read(c, s) }
    /* All writes of a primary reach a replica; writes of several primaries are never mixed. */
    :: atomic { primary[p] && !primary[s] && s != p -> copy(p, s); before[s] = 0 }
    /* A replica is promoted; the old primary may go on, cut off. */
    :: atomic { !primary[s] && nextTerm <= TERMS ->
        before[s] = term[s]; term[s] = nextTerm; nextTerm++; primary[s] = true }
    /* A primary restarts: with its data, or with a part of it that a replica also has. */
    :: atomic { primary[s] && nextTerm <= TERMS -> before[s] = term[s]; term[s] = nextTerm; nextTerm++ }
    :: atomic { primary[s] && !primary[p] && s != p && term[p] == term[s] && nextTerm <= TERMS ->
        copy(p, s); before[s] = term[s]; term[s] = nextTerm; nextTerm++ }
    :: atomic { primary[s] && !gone[s] && primary[p] && gone[p] -> move(s, p) }
    /* A primary becomes the replica of another one, and gets its data. */
    :: atomic { primary[s] && primary[p] && s != p -> primary[s] = false; copy(p, s); before[s] = 0 }
    fi
  :: else -> break
  od
}
