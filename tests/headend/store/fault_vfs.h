/* A file system under SQLite that fails on demand and knows what a power cut would leave.
 *
 * Every write, sync, truncation and growth of the shared index is an operation and is counted. The
 * one numbered fail_at fails with `code` (a write after half of its octets), and with `stuck` all
 * after it, until healed. Syncs reach no disk; instead, of each file the octets synced so far are
 * kept, and the writes since.  One instance, for tests only. */
#ifndef FERRARIS_TESTS_FAULT_VFS_H
#define FERRARIS_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

struct fault {
    long n_ops, n_syncs_of_log; /* counted since fault_reset */
    long fail_at;               /* 0: none */
    int code;                   /* SQLITE_FULL, SQLITE_IOERR_WRITE ... */
    bool stuck, hit;
    bool plain;    /* files opened now neither fail nor leave images */
    int64_t quota; /* octets in files together; more is SQLITE_FULL; 0: no limit */
};
extern struct fault fault;

/* Becomes the default file system of SQLite; once. */
void fault_install(void);
/* No faults, counters at 0, and all that is known of files forgotten. No file may be open. */
void fault_reset(void);

enum fault_cut {
    CUT_SYNCED,  /* nothing since the last sync of each file */
    CUT_WRITTEN, /* all of it, as after kill -9 */
    CUT_MIXED    /* some of the writes, by `seed` */
};
/* Writes what a power cut at this moment would leave of from/name to to/name, if anything. */
void fault_image(const char *from, const char *to, const char *name, enum fault_cut cut,
                 uint32_t seed);

#endif
