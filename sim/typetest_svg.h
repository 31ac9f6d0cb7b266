/* Charts of the type-test report, as SVG inside HTML: axes with ticks at 1-2-5, limit bands, curves
 * and bars. Knows nothing of meters or standards.
 *
 * Curves are told apart by marker and dash first and by colour second, so that a print in black and
 * white can still be read. Colours, line widths and fonts come from classes (a frame, g grid, z
 * zero, b band, e its edge, s0..s7 styles, h hollow, c curve, l line without markers, w whisker, x
 * beyond its limit) that the page defines; markers are f0..f7 and h0..h7 of svg_markers. The page
 * owns the stream and looks for its errors; coordinates are in the units of the viewBox given to
 * svg_begin, y downwards. No scripts, no references to anything outside. */
#ifndef FERRARIS_SIM_TYPETEST_SVG_H
#define FERRARIS_SIM_TYPETEST_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define SVG_STYLES    8
#define SVG_TICKS_MAX 40

/* Text of an element or attribute: & < > " escaped, control characters as '?'. */
void svg_escape(FILE *to, const char *text);

/* The markers of all curves of a page, once before the first of them. */
void svg_markers(FILE *to);
/* `label` says what it shows to those who cannot see it. */
void svg_begin(FILE *to, double width, double height, const char *label);
void svg_end(FILE *to);
/* anchor: 's' start, 'm' middle, 'e' end; class may be "". */
void svg_text(FILE *to, double x, double y, char anchor, const char *class, const char *text);

struct svg_axis {
    double lo, hi; /* lo < hi; log: lo > 0 */
    bool log;
    const char *title; /* with its unit */
};
struct svg_plot {
    FILE *to;
    double left, top, width, height; /* of the plotting area; titles and ticks lie outside */
    struct svg_axis x, y;
    char clip[16]; /* set by svg_plot_begin */
};
struct svg_xy {
    double x, y;
    double spread; /* half the length of the whisker, in units of y; 0: none */
    bool bad;      /* marked with a cross */
};

/* Widens lo..hi of a linear axis to whole ticks. */
void svg_axis_round(struct svg_axis *a);
struct svg_tick {
    double at;
    bool labelled;
};
/* Ticks from lo to hi, so many that labels fit a length of `length`. Logarithmic axes have 1, 2, 5
 * of each decade, or fewer labels where these would touch. */
size_t svg_ticks(const struct svg_axis *a, double length, struct svg_tick out[SVG_TICKS_MAX]);
/* As short as tells neighbours apart. */
void svg_tick_text(const struct svg_axis *a, const struct svg_tick *ticks, size_t n, double at,
                   char out[24]);

/* Frame, grid, labels and titles. `number` tells the plots of one page apart. */
void svg_plot_begin(struct svg_plot *p, unsigned number);
/* The band -y..y that holds from each x up to the next one, in rising order of x. */
void svg_band(const struct svg_plot *p, const struct svg_xy *limit, size_t n);
/* In rising order of x. Points beyond the plot are drawn at its edge. */
void svg_curve(const struct svg_plot *p, unsigned style, bool hollow, const struct svg_xy *point,
               size_t n);
/* A short piece of the curve with its marker, for a legend. */
void svg_sample(FILE *to, double x, double y, unsigned style, bool hollow);

#endif
