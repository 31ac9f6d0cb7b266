/* The personalisation page: the meter's title and keys, in a page of its own above the code.
 *
 * No key stands in a source or an image: the page is erased (FF) until somebody writes it, with a
 * programmer on a board, with `-device loader` under QEMU. An erased page gives keys that let
 * nobody in. Layout, 80 octets: "FMK1", title 8, rfu 4, GUEK 16, GAK 16, KEK 16, seed 16 of the
 * simulated randomness. */
#ifndef FERRARIS_MPS2_KEYS_H
#define FERRARIS_MPS2_KEYS_H

#include <stdint.h>

struct mps2_keys {
    uint8_t mark[4];
    uint8_t title[8];
    uint8_t rfu[4];
    uint8_t guek[16], gak[16], kek[16], seed[16];
};
#define MPS2_KEYS_MARK    "FMK1"
#define MPS2_KEYS_ADDRESS 0x0003FC00u /* as in mps2.ld */

extern const struct mps2_keys port_keys; /* of the linker script */

#endif
