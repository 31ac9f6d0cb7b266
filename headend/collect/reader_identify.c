/* What the meter is and has: name, serial number, object list.
 *
 * The object list (class 15 attribute 2) of a large meter has hundreds of kilobytes; of each object
 * only class, name and the right to read attribute 2 are kept while it passes. */
#include "headend/collect/reader_parts.h"

#include "lib/cosem/results.h"

#include <stdio.h>
#include <string.h>

#define CLASS_PROFILE 7u

static const uint8_t ln_device_name[6] = {0, 0, 42, 0, 0, 255};
static const uint8_t ln_serial[6] = {0, 0, 96, 1, 0, 255};
static const uint8_t ln_association[6] = {0, 0, 40, 0, 0, 255};

/* ---- name ---- */

static void put_hex(const struct bytes b, char out[READER_TEXT_MAX])
{
    const size_t n = b.len < (READER_TEXT_MAX - 1) / 2 ? b.len : (READER_TEXT_MAX - 1) / 2;
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02X", b.p[i]);
}

/* Octets as text where they are text, else in hexadecimal. Fill at the end is not text's. */
static void put_text(struct bytes b, char out[READER_TEXT_MAX])
{
    bool printable = true;
    out[0] = '\0';
    while (b.len > 0 && (b.p[b.len - 1] == 0 || b.p[b.len - 1] == ' '))
        b.len--;
    for (size_t i = 0; i < b.len; i++)
        printable = printable && b.p[i] >= ' ' && b.p[i] <= '~';
    if (printable && b.len > 0)
        snprintf(out, READER_TEXT_MAX, "%.*s", (int)b.len, (const char *)b.p);
    else
        put_hex(b, out);
}

static enum err take_text(const struct value_part *part, char out[READER_TEXT_MAX])
{
    int64_t number;
    if (part->tag == AXDR_OCTETS || part->tag == AXDR_TEXT || part->tag == AXDR_UTF8)
        put_text(part->content, out);
    else if (value_part_int(part, &number))
        snprintf(out, READER_TEXT_MAX, "%lld", (long long)number);
    else
        return ERR_TYPE;
    return ERR_OK;
}

static enum err ask_name(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(1, ln_device_name, 2);
    const uint8_t list_max = r->plan.objects->list_max;
    *r->plan.objects = (struct reader_objects){.list_max = list_max};
    return reader_get(r, &attr);
}

static enum err name_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    return take_text(part, r->plan.objects->device_name);
}

static void name_done(struct reader *r, enum cosem_result result)
{
    (void)result; /* a meter without a name has objects all the same */
    reader_go(r, STEP_SERIAL);
}

/* ---- the same meter as before? ---- */

static enum err ask_same_name(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(1, ln_device_name, 2);
    return reader_get(r, &attr);
}

static enum err same_name_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    return take_text(part, r->got.text);
}

/* A name not told then or now says nothing. */
static void same_name_done(struct reader *r, enum cosem_result result)
{
    const char *known = r->plan.objects->device_name;
    char sentence[120];
    reader_go(r, STEP_CLOCK);
    if (result != COSEM_SUCCESS || known[0] == '\0' || r->got.text[0] == '\0' ||
        strcmp(known, r->got.text) == 0)
        return;
    snprintf(sentence, sizeof sentence, "another meter answers at this address: %s instead of %s",
             r->got.text, known);
    reader_fail_changed(r, sentence);
}

/* ---- serial number ---- */

static enum err ask_serial(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(1, ln_serial, 2);
    return reader_get(r, &attr);
}

static enum err serial_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    return take_text(part, r->plan.objects->serial);
}

static void serial_done(struct reader *r, enum cosem_result result)
{
    (void)result;
    reader_go(r, STEP_LIST);
}

/* ---- object list ---- */

/* Lower is kept first when there is no room for all. */
static unsigned rank_of(const uint8_t ln[6])
{
    return (ln[5] == 255 ? 0u : 2u) + (ln[0] == 1 ? 0u : 1u);
}

/* Makes room for a register of this rank: the last one of the highest rank goes. */
static bool make_room(struct reader_objects *o, unsigned rank)
{
    size_t victim = 0;
    for (size_t i = 1; i < o->n_registers; i++)
        victim = rank_of(o->reg[i].ln) >= rank_of(o->reg[victim].ln) ? i : victim;
    if (rank_of(o->reg[victim].ln) <= rank)
        return false;
    o->n_registers--;
    memmove(&o->reg[victim], &o->reg[victim + 1],
            (o->n_registers - victim) * sizeof o->reg[victim]);
    return true;
}

static void count_up(uint16_t *n)
{
    *n = (uint16_t)(*n + (*n < UINT16_MAX));
}

static void add_register(struct reader_objects *o, const struct reader_got *got)
{
    if (o->n_registers == READER_REGISTERS_MAX) {
        count_up(&o->registers_left_out);
        if (!make_room(o, rank_of(got->ln)))
            return;
    }
    struct reader_register *reg = &o->reg[o->n_registers++];
    *reg = (struct reader_register){.class_id = got->class_id, .attribute = 2, .unit = 255};
    memcpy(reg->ln, got->ln, sizeof reg->ln);
}

static void add_profile(struct reader_objects *o, const struct reader_got *got)
{
    if (o->n_profiles == READER_PROFILES_MAX) {
        count_up(&o->profiles_left_out);
        return;
    }
    memcpy(o->profile[o->n_profiles++].ln, got->ln, sizeof got->ln);
}

/* Load profiles with recording period 1 and 2: not logs (99.98), billing (98) or snapshots. */
static bool is_load_profile(const struct reader_got *got)
{
    return got->class_id == CLASS_PROFILE && got->ln[2] == 99 &&
           (got->ln[3] == 1 || got->ln[3] == 2);
}

static void end_object(struct reader_objects *o, const struct reader_got *got)
{
    if (got->unreadable)
        return;
    if (got->class_id >= 3 && got->class_id <= 5)
        add_register(o, got);
    else if (is_load_profile(got))
        add_profile(o, got);
}

/* access_mode, as enum up to version 2 of the class (1 read, 3 both, 4 and 6 the same
 * authenticated), as bits from version 3 on (bit 0 read). What both together may mean as "yes" is
 * taken: an attempt tells. */
static bool mode_reads(int64_t mode)
{
    return (mode & 1) != 0 || mode == 4 || mode == 6;
}

/* Members of an object: class_id, version, logical_name, access_rights. */
static enum err take_member(struct reader_got *got, const struct value_part *part)
{
    int64_t v;
    switch (part->index[1]) {
    case 0:
        if (!value_part_int(part, &v) || v < 0 || v > UINT16_MAX)
            return ERR_TYPE;
        got->class_id = (uint16_t)v;
        return ERR_OK;
    case 2:
        if (part->tag != AXDR_OCTETS || part->content.len != sizeof got->ln)
            return ERR_TYPE;
        memcpy(got->ln, part->content.p, sizeof got->ln);
        return ERR_OK;
    default:
        return ERR_OK;
    }
}

/* Members of an item of access_rights.attribute_access: attribute_id, access_mode, selectors. */
static void take_right(struct reader_got *got, const struct value_part *part)
{
    int64_t v;
    if (part->index[1] != 3 || part->index[2] != 0 || !value_part_int(part, &v))
        return;
    if (part->index[4] == 0)
        got->attribute = (uint8_t)v;
    else if (part->index[4] == 1 && got->attribute == 2)
        got->unreadable = !mode_reads(v);
}

static enum err list_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    switch (part->depth) {
    case 0:
        return part->tag == AXDR_ARRAY ? ERR_OK : ERR_TYPE;
    case 1:
        if (part->tag != AXDR_STRUCT || part->n != 4)
            return ERR_TYPE;
        if (part->end)
            end_object(r->plan.objects, &r->got);
        memset(&r->got, 0, sizeof r->got);
        return ERR_OK;
    case 2:
        return take_member(&r->got, part);
    case 5:
        take_right(&r->got, part);
        return ERR_OK;
    default:
        return ERR_OK;
    }
}

static enum err ask_list(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(15, ln_association, 2);
    return reader_get(r, &attr);
}

static void list_done(struct reader *r, enum cosem_result result)
{
    char sentence[120];
    if (result == COSEM_SUCCESS) {
        reader_go(r, STEP_SCALERS);
        return;
    }
    snprintf(sentence, sizeof sentence, "the object list 0-0:40.0.0.255 cannot be read: %s",
             r->bad ? err_text(r->bad) : cosem_result_text(result));
    reader_fail(r, sentence);
}

const struct reader_step reader_step_name = {"the device name", ask_name, name_part, name_done};
const struct reader_step reader_step_serial = {"the serial number", ask_serial, serial_part,
                                               serial_done};
const struct reader_step reader_step_same_name = {"the device name", ask_same_name, same_name_part,
                                                  same_name_done};
const struct reader_step reader_step_list = {"the object list", ask_list, list_part, list_done};
