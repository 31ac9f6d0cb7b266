/* A meter made of a table of answers, for what our own meter never does: odd values, refusals of
 * services, broken answers. No security, one association, ports 16 and 1 of the wrapper. */
#ifndef FERRARIS_TESTS_HEADEND_COLLECT_SCRIPTED_H
#define FERRARIS_TESTS_HEADEND_COLLECT_SCRIPTED_H

#include "tests/headend/collect/reading.h"

#define SCRIPT_RULES  64
#define SCRIPT_OCTETS 80000 /* of all values together */

struct script_rule {
    uint16_t class_id;
    uint8_t ln[6];
    uint8_t id;
    uint8_t result; /* COSEM_SUCCESS: the value */
    struct bytes value;
};
struct scripted {
    /* how it answers; set after scripted_init */
    uint32_t conformance;
    uint16_t max_pdu;    /* it takes */
    unsigned list_max;   /* a longer list gets an exception; 0: no limit */
    unsigned mute_after; /* answers no more after so many requests */
    bool list_as_normal; /* answers a list like a single GET, refused */
    bool refuse_ranges;  /* data-access-result */
    bool except_ranges;  /* exception-response */
    bool empty_blocks;   /* answers a GET with blocks that hold nothing, for ever */
    bool endless_text;   /* answers a GET with a text that has no end */
    bool no_release;     /* does not answer a release */
    bool notifies;       /* half a notification comes right behind each answer, half later */
    /* what it saw */
    unsigned n_requests, n_lists, n_singles, n_ranges;
    uint8_t range[128]; /* parameter of the last one */
    size_t range_len;
    /* private */
    struct script_rule rule[SCRIPT_RULES];
    size_t n_rules;
    uint8_t octets[SCRIPT_OCTETS];
    size_t n_octets;
    struct bytes open; /* rest of the value that goes by blocks */
    uint32_t block;
    uint8_t reply[4096];
    struct reading x;
};

/* Knows the reader's client. Every service is there, and no object. */
void scripted_init(struct scripted *s);
/* The answer to an attribute that has none is object-undefined. A later one replaces an earlier. */
void scripted_value(struct scripted *s, uint16_t class_id, const char *obis, uint8_t id,
                    const char *hex);
void scripted_octets(struct scripted *s, uint16_t class_id, const char *obis, uint8_t id,
                     struct bytes value);
void scripted_refuse(struct scripted *s, uint16_t class_id, const char *obis, uint8_t id,
                     uint8_t result);
/* What it answers to this APDU; nothing: it stays silent. */
void scripted_answer(struct scripted *s, struct wr *w, struct bytes apdu);
/* Carries requests and answers until the reader has nothing to send. */
void scripted_run(struct scripted *s);
/* Begins and runs. */
void scripted_read(struct scripted *s, uint8_t want);

#endif
