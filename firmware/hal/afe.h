/* Analogue front end: blocks of simultaneous samples, one array per channel.
 *
 * The converter (or a simulator) fills a block and hands it to legal_feed(); the block is borrowed
 * for the call only. Samples are raw two's complement counts, at most 24 significant bits (|x| <=
 * 2^23); what one count is worth stands in struct legal_config. */
#ifndef FERRARIS_HAL_AFE_H
#define FERRARIS_HAL_AFE_H

#include <stdint.h>

enum afe_channel { AFE_U1, AFE_U2, AFE_U3, AFE_I1, AFE_I2, AFE_I3, AFE_IN, AFE_N_CHANNELS };

#define AFE_FULL_SCALE (INT32_C(1) << 23)

/* Sample-sets in a block at most, for all of a program alike. A firmware whose converter hands over
 * fewer says so and saves 4 octets of constants for each. */
#ifndef AFE_BLOCK_MAX
#define AFE_BLOCK_MAX 1024
#endif

struct afe_block {
    uint64_t rate_uhz;                     /* sample rate in microhertz, 0.5 to 64 kHz */
    uint32_t n;                            /* sample-sets, 1..AFE_BLOCK_MAX */
    uint32_t present;                      /* bit c set: channel c is connected */
    const int32_t *sample[AFE_N_CHANNELS]; /* n samples each; NULL where not present */
};

#endif
