/* A companion list: the objects that a specification demands of a meter, and how a meter differs.
 *
 * Two kinds of file. JSON: {"profile", "version", "inherit": {"profile", "version"}, "objects":
 * [{"tag", "class-id", "version", "obis", "meterTypes", "attributes": [{"id", "access"}]}]}, the
 * form in which the Dutch lists are published; what it inherits is looked for among the *.json
 * files beside it. Text: a line for each object, fields between tabs: class, version (* any),
 * logical name, attributes as "2:R 3:RW" (may be left out), name (may be left out); # begins a
 * comment. A group of a logical name may be x: any. */
#ifndef FERRARIS_CLI_COMPANION_H
#define FERRARIS_CLI_COMPANION_H

#include "cli/client_object.h"

#define COMPANION_READ     1u
#define COMPANION_WRITE    2u
#define COMPANION_ATTRS    64 /* attribute numbers 1..63 */
#define COMPANION_INHERITS 16 /* lists above one another */

struct companion_object {
    uint16_t class_id;
    int version; /* -1: any */
    uint8_t ln[6];
    uint8_t any;                     /* bit g: group g of the logical name is not compared */
    uint8_t access[COMPANION_ATTRS]; /* COMPANION_*; listed says whether it is demanded at all */
    bool listed[COMPANION_ATTRS];
    char name[96];
};
struct companion { /* all zeros: empty */
    struct companion_object *object;
    size_t n;
    char title[96];
    char warning[256]; /* a list above that was not found; empty: none */
};
/* meter_type: objects for other types ("meterTypes") are left out; NULL: all are taken. False:
 * `error` says file, line and why. companion_free ends it either way. */
bool companion_read(struct companion *c, const char *path, const char *meter_type, char *error,
                    size_t error_size);
void companion_free(struct companion *c);

/* {"title", "missing": [...], "wrong": [{"obis", "class", "problem"}], "extra": [...], "matched":
 * n}. `wrong` has what the meter lacks: class, version, attributes, rights; rights beyond the list
 * are in "beyond". The caller owns it. */
json_t *companion_compare(const struct companion *c, const struct object_list *meter);
/* Nothing missing and nothing wrong. */
bool companion_holds(const json_t *comparison);
void companion_print(const json_t *comparison, FILE *to);

/* What an access mode of an object list allows: COMPANION_*. */
unsigned object_rights(const struct object_list *list, uint8_t mode);

#endif
