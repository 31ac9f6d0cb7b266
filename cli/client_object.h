/* Objects as a person names them, and the list of objects a meter has. */
#ifndef FERRARIS_CLI_CLIENT_OBJECT_H
#define FERRARIS_CLI_CLIENT_OBJECT_H

#include "cli/client_link.h"
#include "cli/client_value.h"
#include "cli/object_name.h"

/* "1-0:1.8.0.255" or "1-0:1.8.0.255:3". id is 0 where none was given. False for anything else. */
bool object_word(const char *word, uint8_t ln[6], uint8_t *id);

struct object_right {
    uint8_t id;
    uint8_t mode; /* access_mode as the meter gave it */
};
#define OBJECT_RIGHTS_MAX 32 /* attributes or methods of one object; more are not kept */
struct object_entry {
    uint16_t class_id;
    uint8_t version;
    uint8_t ln[6];
    uint8_t n_attrs, n_methods;
    struct object_right attrs[OBJECT_RIGHTS_MAX], methods[OBJECT_RIGHTS_MAX];
};
struct object_list {
    struct object_entry *entry;
    size_t n;
    uint8_t association_version; /* of class 15: how modes are to be read */
};
/* Reads object_list of the current association. object_list_free ends it. */
int object_list_read(struct link *l, struct object_list *list);
void object_list_free(struct object_list *list);
bool object_readable(const struct object_list *list, const struct object_entry *e, uint8_t attr);

/* The class of a logical name: `given` when not 0, else from the list, which is read from the meter
 * when it is still empty. More than one class: says which and gives CLI_USAGE. */
int object_class(struct link *l, struct object_list *list, const uint8_t ln[6], uint64_t given,
                 uint16_t *class_id);

/* The attribute with scaler and unit of this attribute's value; 0: it has none. */
uint8_t object_scaler_attr(uint16_t class_id, uint8_t attr);
/* Reads scaler and unit where the attribute has them; `known` is false else. */
int object_unit(struct link *l, const struct apdu_attr *attr, struct value_unit *unit);

#endif
