/* The window is a word that shifts: bit 0 stands for next - 2, as next - 1 is used by definition.
 */
#include "lib/dlms/replay.h"

#define WINDOW 64u

/* Place of a counter below next - 1 in the window; WINDOW or more: none. */
static uint32_t place_of(const struct dlms_replay *r, uint32_t counter)
{
    return r->next - 2 - counter; /* wraps to a large number for next - 1 */
}

bool dlms_replay_fresh(const struct dlms_replay *r, uint32_t counter)
{
    if (counter >= r->next)
        return counter != UINT32_MAX;
    uint32_t place = place_of(r, counter);
    return place < WINDOW && (r->open >> place & 1u);
}

void dlms_replay_use(struct dlms_replay *r, uint32_t counter)
{
    if (!dlms_replay_fresh(r, counter))
        return;
    if (counter < r->next) {
        r->open &= ~(UINT64_C(1) << place_of(r, counter));
        return;
    }
    /* next .. counter - 1 are passed over; next - 1, used, comes into the window above them */
    uint32_t n_new = counter - r->next;
    r->open <<= 1;
    for (uint32_t i = 0; i < n_new && i < WINDOW; i++)
        r->open = r->open << 1 | 1u;
    r->next = counter + 1;
}
