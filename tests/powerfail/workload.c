/* See workload.h. */
#include "tests/powerfail/workload.h"

#include <stdio.h>
#include <string.h>

/* Three shapes: plain, the smallest number of sectors, few large slots to a sector. */
const struct nv_ring_layout work_rings[WORK_RINGS] = {
    {.first_sector = 3, .n_sectors = 3, .record_size = 16},
    {.first_sector = 6, .n_sectors = 2, .record_size = 40},
    {.first_sector = 9, .n_sectors = 4, .record_size = 100},
};

/* What rings 1 and 2 become; ring 0 stays. Variant 0 is work_rings. */
static const struct nv_ring_layout variants[][WORK_RINGS - 1] = {
    {{.first_sector = 6, .n_sectors = 2, .record_size = 40},
     {.first_sector = 9, .n_sectors = 4, .record_size = 100}},
    {{.first_sector = 6, /* ring 1 grew by what ring 2 gave away */
      .n_sectors = 2,
      .record_size = 40,
      .more = {{9, 1}, {12, 1}},
      .n_more = 2},
     {.first_sector = 10, .n_sectors = 2, .record_size = 100}},
    {{.first_sector = 6, .n_sectors = 2, .record_size = 24}, /* other records; ring 2 as in 0 */
     {.first_sector = 9, .n_sectors = 4, .record_size = 100}},
    {{.first_sector = 8, .n_sectors = 2, .record_size = 60},
     {.first_sector = 10,
      .n_sectors = 3,
      .record_size = 30,
      .more = {{6, 1}, {7, 1}},
      .n_more = 2}},
};
#define N_VARIANTS (sizeof variants / sizeof variants[0])

struct nv_config work_config(const struct flash_emu *f)
{
    return (struct nv_config){.flash = &f->hal,
                              .kv_first_sector = 0,
                              .kv_n_sectors = 3,
                              .rings = work_rings,
                              .n_rings = WORK_RINGS};
}

static uint32_t mix(uint32_t a, uint32_t b)
{
    uint32_t x = a * 2654435761u ^ (b + 0x9E3779B9u + (a << 6) + (a >> 2));
    x ^= x >> 15;
    x *= 2246822519u;
    return x ^ x >> 13;
}

static void payload_make(uint8_t *to, size_t n, uint32_t owner, uint32_t number)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)mix(owner * 4096u + (uint32_t)i, number);
    /* The number stands in clear at the end, so that a check can say which one it found. */
    for (size_t i = 0; i < 4 && i < n; i++)
        to[n - 1 - i] = (uint8_t)(number >> (8 * i));
}

static size_t value_len(uint8_t key, uint32_t version)
{
    return 4 + mix(key, version) % (key == 0 ? 120 : 36);
}

void work_init(struct work *w, uint32_t seed)
{
    *w = (struct work){.step = 1, .seed = seed};
    memcpy(w->layout, work_rings, sizeof w->layout);
}

static bool same_shape(uint8_t a, uint8_t b, uint8_t ring)
{
    return memcmp(&variants[a][ring - 1], &variants[b][ring - 1], sizeof variants[0][0]) == 0;
}

/* The layout of `value` is in force: rings that got another generation are empty. */
static void layout_adopt(struct work *w, const uint8_t value[WORK_RINGS])
{
    for (uint8_t ring = 1; ring < WORK_RINGS; ring++) {
        if (w->layout_value[ring] != value[ring])
            w->ring[ring] = (struct work_ring){0};
        w->layout[ring] = variants[value[0]][ring - 1];
        w->layout[ring].generation = value[ring];
    }
    memcpy(w->layout_value, value, WORK_RINGS);
}

enum err work_mount(struct work *w, struct nv *nv, const struct flash_emu *f)
{
    struct nv_config config = {.flash = &f->hal, .kv_n_sectors = 3};
    uint8_t value[WORK_RINGS] = {0};
    size_t len;
    enum err err = nv_mount(nv, &config);
    if (err)
        return err;
    err = nv_get(nv, WORK_LAYOUT, value, sizeof value, &len);
    if (err && err != ERR_NOT_FOUND)
        return err;
    if (memcmp(value, w->layout_value, sizeof value) != 0) {
        if (w->pending != PENDING_LAYOUT || memcmp(value, w->pending_layout, sizeof value) != 0)
            return ERR_STATE;
        layout_adopt(w, value);
    }
    return nv_mount_rings(nv, w->layout, WORK_RINGS);
}

static enum err step_re_make(struct work *w, struct nv *nv, uint32_t r)
{
    uint8_t *to = w->pending_layout, old = w->layout_value[0];
    to[0] = (uint8_t)((old + 1 + r % (N_VARIANTS - 1)) % N_VARIANTS);
    for (uint8_t ring = 1; ring < WORK_RINGS; ring++)
        to[ring] = (uint8_t)(w->layout_value[ring] + !same_shape(old, to[0], ring));
    w->pending = PENDING_LAYOUT;
    enum err err = nv_put(nv, WORK_LAYOUT, to, WORK_RINGS);
    if (err)
        return err;
    layout_adopt(w, to); /* acknowledged: no way back, whatever becomes of the mount */
    return nv_mount_rings(nv, w->layout, WORK_RINGS);
}

static enum err step_put(struct work *w, struct nv *nv, uint32_t r)
{
    uint8_t value[160], key = (uint8_t)(r % WORK_KEYS);
    bool remove = key == 1 && (r >> 8) % 3 == 0;
    uint32_t version = remove ? 0 : ++w->n_versions[key];
    size_t len = remove ? 0 : value_len(key, version);
    payload_make(value, len, key, version);
    w->pending = PENDING_PUT;
    w->pending_at = key;
    w->pending_version = version;
    enum err err = nv_put(nv, key, value, len);
    if (!err)
        w->version[key] = version;
    return err;
}

static enum err step_append(struct work *w, struct nv *nv, uint32_t r)
{
    uint8_t record[128], ring = (uint8_t)(r % WORK_RINGS);
    struct work_ring *m = &w->ring[ring];
    payload_make(record, w->layout[ring].record_size, 100u + ring, w->step);
    w->pending = PENDING_APPEND;
    w->pending_at = ring;
    enum err err = nv_append(nv, ring, record);
    if (err)
        return err;
    uint64_t seq = nv_newest(nv, ring);
    if (seq <= m->newest || seq >= WORK_SEQ_MAX)
        return ERR_STATE; /* a number came twice: no caller of ours takes this for a power cut */
    m->newest = seq;
    m->step_of[seq] = w->step;
    return ERR_OK;
}

static enum err step_clear(struct work *w, struct nv *nv, uint32_t r)
{
    uint8_t ring = (uint8_t)(r % WORK_RINGS);
    w->pending = PENDING_CLEAR;
    w->pending_at = ring;
    enum err err = nv_clear(nv, ring);
    if (!err) {
        w->ring[ring].cleared = w->ring[ring].newest;
    }
    return err;
}

enum err work_step(struct work *w, struct nv *nv)
{
    uint32_t r = mix(w->seed, w->step);
    enum err err = r % 64 == 0                 ? step_clear(w, nv, r >> 8)
                   : w->re_makes && r % 64 < 6 ? step_re_make(w, nv, r >> 8)
                   : r % 64 < 26               ? step_put(w, nv, r >> 8)
                                               : step_append(w, nv, r >> 8);
    w->step++;
    if (!err)
        w->pending = PENDING_NOTHING;
    return err;
}

static bool value_is(const uint8_t *value, size_t len, uint8_t key, uint32_t version)
{
    uint8_t want[160];
    if (version == 0 || len != value_len(key, version))
        return false;
    payload_make(want, len, key, version);
    return memcmp(value, want, len) == 0;
}

static uint32_t version_in(const uint8_t *value, size_t len)
{
    uint32_t v = 0;
    for (size_t i = 4; len >= 4 && i > 0; i--)
        v = v << 8 | value[len - i];
    return v;
}

static const char *check_key(struct work *w, const struct nv *nv, uint8_t key,
                             struct work_rules rules)
{
    uint8_t value[160];
    size_t len;
    enum err err = nv_get(nv, key, value, sizeof value, &len);
    bool pending = w->pending == PENDING_PUT && w->pending_at == key;
    if (err == ERR_CORRUPT && rules.damaged)
        return NULL;
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return "a key cannot be read";
    if (err == ERR_NOT_FOUND && rules.stale)
        return NULL;
    uint32_t found = err == ERR_NOT_FOUND ? 0 : version_in(value, len);
    if (found != 0 && !value_is(value, len, key, found))
        return "a key holds what was never put";
    if (found == w->version[key] || (rules.stale && found <= w->n_versions[key]))
        return NULL;
    if (!pending || found != w->pending_version)
        return "a key holds neither the old nor the new value";
    w->version[key] = found;
    return NULL;
}

static const char *check_record(struct work *w, const struct nv *nv, uint8_t ring, uint64_t seq,
                                struct work_rules rules)
{
    uint8_t record[128], want[128];
    struct work_ring *m = &w->ring[ring];
    size_t size = w->layout[ring].record_size;
    bool pending = w->pending == PENDING_APPEND && w->pending_at == ring;
    enum err err = nv_read(nv, ring, seq, record);
    if (err == ERR_CORRUPT)
        return rules.damaged || rules.stale || (rules.holes && m->step_of[seq] == 0)
                   ? NULL
                   : "a held record is unreadable";
    if (err)
        return "a held record cannot be read";
    if (m->step_of[seq] == 0 && pending && seq > m->newest) {
        m->step_of[seq] = w->step - 1; /* the pending one: served from now on, so it must stay */
        m->newest = seq;
        w->pending = PENDING_NOTHING;
    }
    payload_make(want, size, 100u + ring, m->step_of[seq]);
    return memcmp(record, want, size) == 0 ? NULL : "a record holds what was never appended";
}

/* Of the last `capacity` numbers, is one not held that was acknowledged and not cleared? */
static bool misses_record(const struct work_ring *m, uint64_t newest, uint64_t count,
                          uint64_t capacity)
{
    if (m->newest > m->cleared && newest < m->newest)
        return true;
    for (uint64_t seq = m->newest; seq > m->cleared && seq + capacity > newest; seq--)
        if (m->step_of[seq] && seq <= newest - count)
            return true;
    return false;
}

static const char *check_ring(struct work *w, const struct nv *nv, uint8_t ring,
                              struct work_rules rules)
{
    struct work_ring *m = &w->ring[ring];
    uint64_t newest = nv_newest(nv, ring), count = nv_count(nv, ring);
    uint8_t record[128];
    if (newest >= WORK_SEQ_MAX || count > newest)
        return "sequence numbers are out of bounds";
    if (w->pending == PENDING_CLEAR && w->pending_at == ring && count == 0) {
        m->cleared = m->newest;
    }
    if (!rules.damaged && !rules.stale && misses_record(m, newest, count, nv_capacity(nv, ring)))
        return "acknowledged records are gone";
    if (count > 0 && newest - count < m->cleared && !rules.stale)
        return "cleared records are back";
    for (uint64_t seq = newest - count + 1; seq <= newest; seq++) {
        const char *wrong = check_record(w, nv, ring, seq, rules);
        if (wrong)
            return wrong;
    }
    if (nv_read(nv, ring, newest + 1, record) != ERR_NOT_FOUND ||
        nv_read(nv, ring, newest - count, record) != ERR_NOT_FOUND)
        return "a record outside the ring was served";
    return NULL;
}

const char *work_check(struct work *w, const struct nv *nv, struct work_rules rules)
{
    const char *wrong = NULL;
    for (uint8_t key = 0; key < WORK_KEYS && !wrong; key++)
        wrong = check_key(w, nv, key, rules);
    for (uint8_t ring = 0; ring < WORK_RINGS && !wrong; ring++)
        wrong = check_ring(w, nv, ring, rules);
    w->pending = PENDING_NOTHING;
    return wrong;
}
