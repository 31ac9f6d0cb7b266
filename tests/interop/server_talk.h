/* Our client against servers that nobody of this project wrote: one script of operations, run once
 * over a socket with what was said written down, and ever after against what was written.
 *
 * A vector tells how to associate, then the operations; each is followed by what the client said
 * (>) and heard (<) and by what it made of it, a line for each item: `= result octets elements
 * head`, where elements are those of an array or structure and head is the first 64 octets of the
 * value. A script is a vector without the lines > < =.
 *
 *     link wrapper|hdlc    client SAP    physical ADDRESS    password TEXT
 *     connect    release
 *     get CLASS LN ATTRIBUTE            list CLASS ATTRIBUTE LN ...
 *     entries LN FROM TO                range LN FROM TO      (ends as 12 octets, by the clock)
 *     set CLASS LN ATTRIBUTE VALUE      action CLASS LN METHOD VALUE
 *
 * Held to be the same in a replay, octet for octet: what the client says, to the HDLC frame, and
 * what it hands on. The clock is virtual, one millisecond an exchange. Only without HLS: a
 * challenge of ours would be another each time. */
#ifndef FERRARIS_TESTS_INTEROP_SERVER_TALK_H
#define FERRARIS_TESTS_INTEROP_SERVER_TALK_H

/* --record-server SCRIPT PORT FILE: the server is at 127.0.0.1:PORT. Gives the exit code. */
int server_record(char **argv);

/* Beside the octets: the name and the rows stand in the server's source and its file of data, the
 * number of objects at the head of its recorded answer. */
struct server_facts {
    const char *name;     /* logical device name */
    unsigned n_objects;   /* of the list of the association */
    unsigned n_rows;      /* of the profile, where it is asked by entry */
    const char *first;    /* hex: its first row */
    unsigned n_succeeded; /* items read, written and acted */
    unsigned n_refused;
};
void server_replay(const char *name, const struct server_facts *facts);

#endif
