/* In the place of meter_migrate.c and meter_old.c, for a meter whose first flash was of this
 * version: there is nothing to take over. It refuses a flash of the version before, and writes
 * nothing. */
#include "firmware/meter/meter_migrate.h"

enum err meter_migrate_plan(struct meter *m, const struct meter_seen *seen, bool *is_old)
{
    (void)m;
    *is_old = false;
    return seen->is_format_1 ? ERR_VERSION : ERR_OK;
}

bool meter_migrate_reads(struct meter *m, uint8_t ring)
{
    (void)m;
    (void)ring;
    return false;
}

enum err meter_migrate_run(struct meter *m)
{
    (void)m;
    return ERR_VERSION;
}
