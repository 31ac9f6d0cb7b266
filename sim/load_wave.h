/* A load as a waveform: sample-sets and window sums of sim/load.h. For source.c.
 *
 * Samples hold their amplitudes for a second, windows for a minute; the ripple that makes the
 * difference has no mean, so both count the same. The wave's phase runs on across both. */
#ifndef FERRARIS_SIM_LOAD_WAVE_H
#define FERRARIS_SIM_LOAD_WAVE_H

#include "firmware/hal/afe.h"
#include "firmware/legal/legal.h"
#include "sim/load.h"

struct load_wave;

uint32_t load_wave_present(const struct load_spec *s);
/* Largest |value| of each channel on the primary side, V or A; 0 where not connected. */
void load_wave_peaks(const struct load_spec *s, double peak[AFE_N_CHANNELS]);
/* u_lsb, i_lsb: primary volt and ampere per count. NULL: out of memory. Free with free(). */
struct load_wave *load_wave_new(const struct load_spec *s, double u_lsb, double i_lsb);
/* What time it is; it goes on by itself with what is filled and windowed. From 1970 at first. */
void load_wave_clock(struct load_wave *w, int64_t utc_ns);
/* At most n (1..AFE_BLOCK_MAX) sample-sets into out[c], for connected channels; ends with the
 * second. Gives how many. */
uint32_t load_wave_fill(struct load_wave *w, uint32_t n, int32_t *const out[AFE_N_CHANNELS]);
/* The sums of the next `seconds` as a window of `rate` sample-sets a second; minutes that end
 * inside count by their share. */
void load_wave_window(struct load_wave *w, double seconds, double rate, struct legal_window *out);

#endif
