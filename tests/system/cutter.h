/* A bad line as a process: what comes to its port goes on to a meter's, until each connection
 * breaks off somewhere in an answer. For system tests. */
#ifndef FERRARIS_TEST_CUTTER_H
#define FERRARIS_TEST_CUTTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cutter {
    pid_t pid;
    uint16_t port; /* on 127.0.0.1 */
    char url[40];  /* tcp://127.0.0.1:PORT */
    bool *cuts;    /* shared with the process: true from the start on; false: a good line */
    unsigned *n;   /* shared: lines cut so far */
};

/* To the port `to` of 127.0.0.1, where nobody need listen yet. */
void cutter_start(struct cutter *c, uint16_t to, unsigned seed);
void cutter_stop(struct cutter *c);

#endif
