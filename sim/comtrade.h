/* Reads COMTRADE recordings: IEEE C37.111-1991, -1999 (IEC 60255-24:2001), -2013.
 *
 * Data formats ASCII, BINARY, BINARY32, FLOAT32; one or many sample rates; rates from the time
 * stamps where the configuration gives none (nrates 0, or a rate of 0). Also the single-file form
 * of 2013 (.cff). Digital channels are skipped.
 *
 * Values are a*x+b in the channel's unit, on the side (primary or secondary) the file was written
 * in; the ratio is kept beside them. Missing values (99999 in ASCII of 1991 and 1999, an empty
 * field, 0x8000, 0x80000000) become gaps of struct recording. Channel skew is kept with the
 * channel; who uses it brings it back (recording_deskew). Refused: NaN and infinities, fewer
 * sample-sets than promised, lines with too few or too many fields; more sample-sets than promised
 * are ignored with a note. */
#ifndef FERRARIS_SIM_COMTRADE_H
#define FERRARIS_SIM_COMTRADE_H

#include "sim/recording.h"

/* A configuration and its data in memory; names and first line numbers are for messages. */
struct comtrade_parts {
    const char *cfg_name, *dat_name;
    const void *cfg, *dat;
    size_t cfg_len, dat_len;
    size_t cfg_line0, dat_line0, dat_byte0; /* lines and octets before the part in its file (CFF) */
};

/* `out` must be freed with recording_free() whatever the result. ERR_FORMAT, ERR_TRUNCATED,
 * ERR_UNSUPPORTED, ERR_MEMORY; the fault names file, line or byte. */
MUST_CHECK enum err comtrade_parse(const struct comtrade_parts *p, struct recording *out,
                                   const struct fault *f);
/* Opens FILE.cfg (or FILE.dat, any case) and its companion, or FILE.cff. ERR_IO beside the above.
 */
MUST_CHECK enum err comtrade_load(const char *path, struct recording *out, const struct fault *f);

#endif
