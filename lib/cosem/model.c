/* Classes by number, objects by name, objects in order. All tables are const; nothing is cached, so
 * any number of sessions may look at once. */
#include "lib/cosem/model.h"

#include <string.h>

const struct cosem_class *cosem_class_at(size_t index)
{
    return index < cosem_n_classes ? cosem_classes[index] : NULL;
}

const struct cosem_class *cosem_class_find(uint16_t id, uint8_t version)
{
    for (size_t i = 0; i < cosem_n_classes; i++) {
        if (cosem_classes[i]->id == id && cosem_classes[i]->version == version)
            return cosem_classes[i];
    }
    return NULL;
}

const struct cosem_class *cosem_class_near(uint16_t id, uint8_t version)
{
    const struct cosem_class *near = NULL;
    for (size_t i = 0; i < cosem_n_classes; i++) {
        if (cosem_classes[i]->id == id && (!near || cosem_classes[i]->version <= version))
            near = cosem_classes[i];
    }
    return near;
}

/* Instance number along r of the row that begins at `first`, or -1 where the row has none at v. */
static int instance_of(const struct cosem_range *r, uint8_t first, uint8_t v)
{
    if (r->step == 0 || v < first)
        return -1;
    unsigned d = (unsigned)v - first;
    return d % r->step == 0 && d / r->step < r->n ? (int)(d / r->step) : -1;
}

/* Whether the row holds this name; the first group that cannot match ends the comparison. A group
 * varies along one range at most. */
static bool row_holds(const struct cosem_row *row, const uint8_t ln[6], struct cosem_ref *out)
{
    const struct cosem_range *r = row->kind->range;
    uint8_t at[2] = {0, 0};
    for (unsigned g = 0; g < 6; g++) {
        if (ln[g] == row->ln[g])
            continue;
        unsigned which = r[0].group != g;
        int i = r[which].group == g ? instance_of(&r[which], row->ln[g], ln[g]) : -1;
        if (i < 0)
            return false;
        at[which] = (uint8_t)i;
    }
    *out = (struct cosem_ref){.row = row, .i = at[0], .j = at[1]};
    memcpy(out->ln, ln, sizeof out->ln);
    return true;
}

static bool is_present(const struct cosem_device *d, const struct cosem_ref *o)
{
    return !d->present || d->present(d->context, o);
}

/* class_id 0: of any class. */
static bool find(const struct cosem_device *d, uint16_t class_id, const uint8_t ln[6],
                 struct cosem_ref *out)
{
    for (size_t k = 0; k < d->n_rows; k++) {
        const struct cosem_row *row = &d->rows[k];
        if ((class_id == 0 || row->kind->class_id == class_id) && row_holds(row, ln, out) &&
            is_present(d, out))
            return true;
    }
    return false;
}

bool cosem_find(const struct cosem_device *d, uint16_t class_id, const uint8_t ln[6],
                struct cosem_ref *out)
{
    return class_id != 0 && find(d, class_id, ln, out);
}

bool cosem_find_name(const struct cosem_device *d, const uint8_t ln[6], struct cosem_ref *out)
{
    return find(d, 0, ln, out);
}

/* *at packs the position: row (16 bits), i, j (8 bits each). */
bool cosem_next(const struct cosem_device *d, uint32_t *at, struct cosem_ref *out)
{
    for (;;) {
        uint32_t k = *at >> 16;
        unsigned i = *at >> 8 & 0xFF, j = *at & 0xFF;
        if (k >= d->n_rows)
            return false;
        const struct cosem_row *row = &d->rows[k];
        *out = (struct cosem_ref){.row = row, .i = (uint8_t)i, .j = (uint8_t)j};
        memcpy(out->ln, row->ln, sizeof out->ln);
        const struct cosem_range *r = row->kind->range; /* unused: i, j stay 0 */
        out->ln[r[0].group] += (uint8_t)(i * r[0].step);
        out->ln[r[1].group] += (uint8_t)(j * r[1].step);
        if (j + 1 < r[1].n)
            *at += 1;
        else if (i + 1 < r[0].n)
            *at = k << 16 | (uint32_t)(i + 1) << 8;
        else
            *at = (k + 1) << 16;
        if (is_present(d, out))
            return true;
    }
}
