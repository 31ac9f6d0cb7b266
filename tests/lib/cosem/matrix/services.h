/* Every service of the client against the server's, each as one exchange with its result checked.
 */
#ifndef FERRARIS_TESTS_MATRIX_SERVICES_H
#define FERRARIS_TESTS_MATRIX_SERVICES_H

#include "tests/lib/cosem/matrix/rig.h"

struct rig_service {
    const char *name;
    uint8_t gbt_window; /* not 0: the association proposes general block transfer */
    /* The rig is associated. NULL: as it should be; else what is not. */
    const char *(*run)(struct rig *m);
};
extern const struct rig_service rig_services[];
extern const size_t rig_n_services;

#endif
