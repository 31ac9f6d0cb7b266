/* One turn of a meter: from "it is due" to "it is stored", over one connection. Private to
 * headend/collect.
 *
 * Exactly once, whatever breaks: rows go into the store as they are read and merging makes reading
 * them again harmless; the mark from which the next reading goes on is written in the transaction
 * of a profile's last rows, so it never stands without them; a write that failed keeps the later
 * ones of its turn, and the mark, from counting. Nothing of a turn counts before its commit. */
#ifndef FERRARIS_HEADEND_COLLECT_TURN_H
#define FERRARIS_HEADEND_COLLECT_TURN_H

#include "headend/collect/collect_conn.h"

/* One commit of a turn: rows of one profile, or what ends the turn. */
struct collect_write {
    struct commit_job job;
    struct collect_conn *conn;
    struct collect_write *next;      /* among the held */
    struct collect_profile *profile; /* NULL: no rows */
    struct day_row *row;
    uint32_t n_rows, size;
    bool registers;    /* goes with the turn's registers */
    bool ended;        /* the profile's last rows: its mark goes with them */
    bool last;         /* of the turn */
    uint32_t rx_floor; /* of the meter's counters, with the last */
    /* set by the worker */
    struct store_put put;
    bool reread;                  /* stored with the mark */
    char refused[COMMIT_WHY_MAX]; /* why its rows cannot be stored, "": they are */
};

/* The meter is due and has a record, which is FREE or KEPT. */
void turn_begin(struct collect_conn *conn);
/* The line stands. */
void turn_connected(struct collect_conn *conn);
/* Ends the turn with this sentence: what was read is stored, the line is closed. */
void turn_fail(struct collect_conn *conn, const char *sentence);
/* Looks what the reader has come to. */
void turn_step(struct collect_conn *conn);
/* The line must stand still: the store is behind, or counters are short. */
bool turn_must_wait(struct collect_conn *conn);
/* Ends the association of a kept line. */
void turn_release(struct collect_conn *conn);

#endif
