/* What a meter shows, read from its bindings as its manager would be told it, without a line: for
 * tests that compare many attributes or all rows of many meters. Nothing is made durable first. */
#ifndef FERRARIS_TEST_METER_LOOK_H
#define FERRARIS_TEST_METER_LOOK_H

#include "tests/firmware/meter/rig.h"

#define LOOK_MAX 2000000 /* octets of one attribute */

/* A value, or the elements of an array each. Zeros to begin with; look_free(). */
struct look {
    uint8_t *p;
    size_t len;
    uint32_t n;  /* elements of an array; 0 else */
    size_t *end; /* end[i]: where element i ends in p */
};
void look_free(struct look *l);
/* Element i. */
struct bytes look_element(const struct look *l, uint32_t i);

/* Reads an attribute whole; an array (`is_array`) without its head, element by element, as many as
 * it promised. */
enum cosem_result look_attr(struct meter *m, const struct cosem_ref *o, uint8_t attr, bool is_array,
                            struct look *out);
/* The same by name; asserts that the object is there and success. */
void look_named(struct meter *m, uint16_t class_id, const char *obis, uint8_t attr, bool is_array,
                struct look *out);
uint64_t look_uint(struct meter *m, uint16_t class_id, const char *obis, uint8_t attr);
bool look_has(struct meter *m, uint16_t class_id, const char *obis);
/* Whether look_attr() can read this object at all: not those that show the association itself. */
bool look_can(const struct cosem_ref *o);

/* Number of attributes of the object's class. */
uint8_t look_n_attrs(const struct cosem_ref *o);

#endif
