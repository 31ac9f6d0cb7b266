/* A conversation with the whole meter's image in QEMU: meter_image_client IMAGE.
 *
 * Everything that goes deep is done once, so that the stack's mark means something: every attribute
 * of every object, the load profile whole, by range and by entry, the clock set, columns written
 * and refused, the supply failing with a warning and without one, and in between metrology goes on
 * with the samples. It prints "stack OCTETS", the deepest of all lives, and says what went wrong
 * and ends with 1 where an answer is not the right one. */
#include "tests/firmware/images/qemu_meter.h"

#include <stdio.h>
#include <string.h>

#define N_OBJECTS_MAX 1024
#define NOON          1780315200 /* 2026-06-01, 12:00 UTC */
#define CAPTURES      6

static const uint8_t ln_energy[6] = {1, 0, 1, 8, 0, 255}, ln_profile[6] = {1, 0, 99, 1, 0, 255},
                     ln_association[6] = {0, 0, 40, 0, 0, 255};
static struct object {
    uint16_t class_id;
    uint8_t ln[6], n_attrs;
} objects[N_OBJECTS_MAX];
static size_t n_objects;
static unsigned long deepest;

static void keep_report(const char *when)
{
    unsigned long used = qemu_report(when);
    deepest = used > deepest ? used : deepest;
}

/* Element of the object list: class, version, name, {attribute access, method access}. */
static void take_object(struct rd *r)
{
    struct object *o = &objects[n_objects++];
    (void)axdr_get_struct(r, 4);
    o->class_id = (uint16_t)axdr_get_uint(r);
    (void)axdr_get_uint(r);
    struct bytes ln = axdr_get_octets(r);
    if (r->err || ln.len != 6)
        qemu_fail("object %zu of the list is none", n_objects);
    memcpy(o->ln, ln.p, 6);
    struct rd access = *r;
    (void)axdr_get_struct(&access, 2);
    o->n_attrs = (uint8_t)axdr_get_array(&access);
    axdr_skip(r);
}

static void read_list(void)
{
    struct apdu_attr list = attr_of(15, ln_association, 2);
    struct rd r = get(&list, COSEM_SUCCESS);
    size_t n = axdr_get_array(&r);
    n_objects = 0;
    if (n > N_OBJECTS_MAX)
        qemu_fail("%zu objects", n);
    for (size_t k = 0; k < n; k++)
        take_object(&r);
    if (r.err || rd_left(&r) != 0)
        qemu_fail("the object list is not one value");
}

/* Every attribute is one value or refused: the secret of class 15, and what cannot be read. */
static void read_all(void)
{
    size_t n_read = 0;
    for (size_t k = 0; k < n_objects; k++) {
        for (uint8_t id = 1; id <= objects[k].n_attrs; id++) {
            struct apdu_attr a = attr_of(objects[k].class_id, objects[k].ln, id);
            struct rd r;
            enum cosem_result result = try_get(&a, &r);
            if (result == COSEM_READ_WRITE_DENIED && a.class_id == 15)
                continue;
            if (result != COSEM_SUCCESS)
                qemu_fail("class %u attribute %u: %s", a.class_id, id, cosem_result_text(result));
            axdr_skip(&r);
            if (r.err || rd_left(&r) != 0)
                qemu_fail("class %u attribute %u is not one value", a.class_id, id);
            n_read++;
        }
    }
    if (n_objects < 20 || n_read < 3 * n_objects / 2)
        qemu_fail("%zu attributes of %zu objects", n_read, n_objects);
}

static uint64_t energy(void)
{
    struct apdu_attr a = attr_of(3, ln_energy, 2);
    struct rd r = get(&a, COSEM_SUCCESS);
    uint64_t value = axdr_get_uint(&r);
    if (r.err)
        qemu_fail("the register is no number");
    return value;
}

static void read_entries(void)
{
    if (qemu_entries(2, 4) != 3)
        qemu_fail("entries 2 to 4 are not three");
}

static void read_profile(void)
{
    struct apdu_attr a = attr_of(7, ln_profile, 2);
    for (int i = 0; i < CAPTURES; i++)
        act(a, COSEM_SUCCESS);
    if (rows_of(&a) < CAPTURES)
        qemu_fail("the profile has not %d rows", CAPTURES);
    size_t n = qemu_rows_between(NOON - 60, NOON + 3600);
    if (n < CAPTURES)
        qemu_fail("%zu rows in a range of %d captures", n, CAPTURES);
    read_entries();
}

/* The columns as they are, by blocks, and a value that is none. A model whose columns are fixed
 * refuses. */
static void write_columns(void)
{
    static const uint8_t wrong[] = {AXDR_U8, 1};
    uint8_t octets[2048];
    struct apdu_attr a = attr_of(7, ln_profile, 3);
    struct rd r = get(&a, COSEM_SUCCESS);
    size_t len = rd_left(&r);
    if (len > sizeof octets)
        qemu_fail("capture_objects of %zu octets", len);
    memcpy(octets, r.p + r.pos, len);
    (void)try_set(&a, (struct bytes){octets, len});
    if (try_set(&a, (struct bytes){wrong, sizeof wrong}) == COSEM_SUCCESS)
        qemu_fail("capture_objects took a number");
}

/* What a manager does in a day, then the end of a day and a month with the samples going on. */
static void talk(void)
{
    qemu_associate(1, true);
    read_list();
    read_all();
    qemu_set_clock(NOON);
    write_columns();
    read_profile();
    qemu_set_clock(1782863997); /* 2026-06-30, 23:59:57 UTC */
    qemu_wait_ms(5000);
    qemu_set_clock(1782863997 + 86400 * 3);
    qemu_release();
    keep_report("closed");
}

/* After a return of the supply the register is not below, and the rows are there. */
static void comes_back(char how)
{
    qemu_associate(1, true);
    uint64_t before = energy();
    qemu_supply(how);
    keep_report("off");
    keep_report("begun");
    qemu_drop();
    qemu_follow_counter();
    qemu_associate(1, true);
    if (energy() < before)
        qemu_fail("energy was lost by '%c'", how);
    read_entries();
    qemu_release();
    keep_report("closed");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: meter_image_client IMAGE\n", stderr);
        return 2;
    }
    qemu_start("meter_image_client", argv[1]);
    keep_report("begun");
    qemu_wait_ms(2000); /* metrology: lock, windows, values */
    talk();
    comes_back('C');
    comes_back('F');
    printf("stack %lu\n", deepest);
    qemu_stop();
    return 0;
}
