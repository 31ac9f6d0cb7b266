/* A scripted life of a store, and what must be found of it at any later moment.
 *
 * Every stored octet follows from what it belongs to (key and version, or ring and step), so that
 * any value read back tells by itself what it claims to be. */
#ifndef FERRARIS_TEST_WORKLOAD_H
#define FERRARIS_TEST_WORKLOAD_H

#include "lib/nv/nv.h"
#include "tests/powerfail/flash_emu.h"

#define WORK_KEYS    6
#define WORK_LAYOUT  7 /* key of the layout: variant, generation of ring 1 and 2 */
#define WORK_RINGS   3
#define WORK_SEQ_MAX 4096

extern const struct nv_ring_layout work_rings[WORK_RINGS];
#define WORK_SECTOR_SIZE 512
#define WORK_N_SECTORS   13

struct work_ring {
    uint32_t step_of[WORK_SEQ_MAX]; /* by sequence number: step that wrote it, 0 not known */
    uint64_t newest;                /* highest sequence number acknowledged or served */
    uint64_t cleared;               /* all up to here were cleared */
};

struct work {
    uint32_t step; /* next to do, from 1 */
    bool re_makes; /* the layout changes with time; else it is work_rings */
    struct nv_ring_layout layout[WORK_RINGS];
    uint8_t layout_value[WORK_RINGS], pending_layout[WORK_RINGS];
    uint32_t seed;
    uint32_t version[WORK_KEYS]; /* acknowledged; 0 absent */
    uint32_t n_versions[WORK_KEYS];
    struct work_ring ring[WORK_RINGS];
    /* what the step under way may have done, set before the store is called */
    enum { PENDING_NOTHING, PENDING_PUT, PENDING_APPEND, PENDING_CLEAR, PENDING_LAYOUT } pending;
    uint8_t pending_at; /* key or ring */
    uint32_t pending_version;
};

struct work_rules { /* how much a check forgives */
    bool damaged;   /* values and records may answer ERR_CORRUPT */
    bool stale;     /* keys may be gone or old, records of a lost sector unreadable */
    bool holes;     /* numbers never acknowledged may answer ERR_CORRUPT */
};

struct nv_config work_config(const struct flash_emu *f);
/* Mounts the keys, then the rings as the key WORK_LAYOUT says: what a meter does. ERR_STATE: the
 * layout is neither the old one nor a pending one. */
enum err work_mount(struct work *w, struct nv *nv, const struct flash_emu *f);
void work_init(struct work *w, uint32_t seed);
/* Does the next step. ERR_OK: acknowledged and taken over into the model; otherwise it is pending.
 */
enum err work_step(struct work *w, struct nv *nv);
/* Compares store and model; NULL or what is wrong. A pending step is settled as found. */
const char *work_check(struct work *w, const struct nv *nv, struct work_rules rules);

#endif
