/* A conversation with the small meter's image in QEMU: dlms_small_client IMAGE.
 *
 * Everything the image can do is done once, so that the stack's mark means something. It prints
 * "stack OCTETS", and says what went wrong and ends with 1 where an answer is not the right one. */
#include "tests/firmware/images/qemu_meter.h"

#include <stdio.h>

#define ROWS 16                  /* of the profile */
#define NOON INT64_C(1780315200) /* 2026-06-01, 12:00 UTC */

static const uint8_t ln_counter[6] = {0, 0, 43, 1, 0, 255}, ln_register[6] = {1, 0, 1, 8, 0, 255},
                     ln_profile[6] = {1, 0, 99, 1, 0, 255}, ln_clock[6] = {0, 0, 1, 0, 0, 255},
                     ln_association[6] = {0, 0, 40, 0, 0, 255}, ln_hdlc[6] = {0, 0, 22, 0, 0, 255},
                     ln_security[6] = {0, 0, 43, 0, 0, 255};
static const struct {
    const uint8_t *ln;
    uint16_t class_id;
    uint8_t n_attrs;
} objects[] = {{ln_counter, 1, 2},      {ln_register, 3, 3}, {ln_profile, 7, 8},  {ln_clock, 8, 9},
               {ln_association, 15, 9}, {ln_hdlc, 23, 9},    {ln_security, 64, 5}};
#define N_OBJECTS   (sizeof objects / sizeof objects[0])
#define ATTR_SECRET 7 /* of class 15 */

/* The public client sees where the counters stand, and nothing else. */
static void talk_as_public(void)
{
    struct apdu_attr a = attr_of(1, ln_counter, 2);
    qemu_associate(16, false);
    struct rd r = get(&a, COSEM_SUCCESS);
    if (axdr_get_uint(&r) != 0 || r.err)
        qemu_fail("the counter of a new meter is not 0");
    a = attr_of(3, ln_register, 2);
    (void)get(&a, COSEM_READ_WRITE_DENIED);
    qemu_release();
}

static void read_all(void)
{
    for (size_t k = 0; k < N_OBJECTS; k++) {
        for (uint8_t id = 1; id <= objects[k].n_attrs; id++) {
            struct apdu_attr a = attr_of(objects[k].class_id, objects[k].ln, id);
            bool secret = a.class_id == 15 && id == ATTR_SECRET;
            struct rd r = get(&a, secret ? COSEM_READ_WRITE_DENIED : COSEM_SUCCESS);
            if (secret)
                continue;
            axdr_skip(&r);
            if (r.err || rd_left(&r) != 0)
                qemu_fail("class %u attribute %u is not one value", a.class_id, id);
        }
    }
    struct apdu_attr list = attr_of(15, ln_association, 2);
    struct rd r = get(&list, COSEM_SUCCESS);
    if (axdr_get_array(&r) != N_OBJECTS)
        qemu_fail("the object list has not %zu objects", N_OBJECTS);
}

static void set_clock(void)
{
    static const uint8_t wrong[] = {AXDR_U8, 1};
    qemu_set_clock(NOON);
    set(attr_of(8, ln_clock, 2), (struct bytes){wrong, sizeof wrong}, COSEM_TYPE_UNMATCHED);
}

/* More captures than it has rows, then the whole, by range and by entry. */
static void read_profile(void)
{
    struct apdu_attr a = attr_of(7, ln_profile, 2);
    for (int i = 0; i < ROWS + 4; i++)
        act(a, COSEM_SUCCESS);
    if (rows_of(&a) != ROWS)
        qemu_fail("the profile has not %d rows", ROWS);
    if (qemu_rows_between(NOON, NOON + 3600) != ROWS)
        qemu_fail("a range over all rows gives others");
    if (qemu_entries(3, 5) != 3)
        qemu_fail("entries 3 to 5 are not three");
}

static void talk_as_manager(void)
{
    static const uint8_t period[] = {AXDR_U32, 0, 0, 0, 60};
    qemu_associate(1, true);
    read_all();
    set_clock();
    set(attr_of(7, ln_profile, 4), (struct bytes){period, sizeof period}, COSEM_SUCCESS);
    act(attr_of(3, ln_register, 1), COSEM_SUCCESS);
    read_profile();
    qemu_release();
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: dlms_small_client IMAGE\n", stderr);
        return 2;
    }
    qemu_start("dlms_small_client", argv[1]);
    talk_as_public();
    (void)qemu_report("closed");
    talk_as_manager();
    printf("stack %lu\n", qemu_report("closed"));
    qemu_stop();
    return 0;
}
