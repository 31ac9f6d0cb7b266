/* The disconnector's transitions and modes as data. Letters are those of the Blue Book; the meaning
 * of i, and that nothing is done (and nothing remembered) without a transition, are provisional. */
#include "lib/cosem/disconnect.h"

#include <stddef.h>

enum { A = 1 << 0, B = 1 << 1, C = 1 << 2, D = 1 << 3, E = 1 << 4, F = 1 << 5, G = 1 << 6 };
enum { H = 1 << 7, I = 1 << 8 };

static const struct {
    uint16_t letter;
    uint8_t event, from, to;
} transitions[] = {
    {A, DISCONNECT_REMOTE_ON, 0, 1},  {B, DISCONNECT_REMOTE_OFF, 1, 0},
    {C, DISCONNECT_REMOTE_OFF, 2, 0}, {D, DISCONNECT_REMOTE_ON, 0, 2},
    {E, DISCONNECT_MANUAL_ON, 2, 1},  {F, DISCONNECT_MANUAL_OFF, 1, 2},
    {G, DISCONNECT_LOCAL_OFF, 1, 2},  {H, DISCONNECT_LOCAL_ON, 2, 1},
    {I, DISCONNECT_REMOTE_ON, 2, 1},
};
static const uint16_t modes[DISCONNECT_MODES] = {
    [0] = 0,
    [1] = B | C | F | G | D | E,
    [2] = B | C | F | G | A | E,
    [3] = B | C | G | D | E,
    [4] = B | C | G | A | E,
    [5] = B | C | F | G | D | E | H,
    [6] = B | C | G | D | E | H,
    [7] = B | C | G | A | I | E | H,
};

uint8_t disconnect_next(uint8_t mode, uint8_t state, enum disconnect_event event)
{
    uint16_t allowed = mode < DISCONNECT_MODES ? modes[mode] : 0;
    for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++) {
        if (transitions[i].event == event && transitions[i].from == state &&
            (transitions[i].letter & allowed))
            return transitions[i].to;
    }
    return state;
}
