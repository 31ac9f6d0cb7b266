/* Octets to APDUs: finds the frames of HDLC, wrapper and M-Bus, or bare APDUs, in whatever order
 * and garbage they come, puts segments together and hands each APDU to decode_apdu().
 *
 * Octets come in two ways. A stream (serial line, TCP, a file of octets) has no hints: frames are
 * searched. A unit (a line of text, a datagram) usually begins with a frame, and it may be a bare
 * APDU or a part of one: it is kept until units behind it complete it, or until one begins anew.
 *
 * Nothing is dropped silently: a frame that is cut or wrong gives an entry with an error, octets
 * between frames are counted in the link of the next entry ("skipped"). HDLC's RR and RNR frames
 * and M-Bus' short frames carry nothing and give no entry. */
#ifndef FERRARIS_CLI_DECODE_STREAM_H
#define FERRARIS_CLI_DECODE_STREAM_H

#include "cli/decode_apdu.h"

#include "lib/dlms/hdlc_frame.h"
#include "lib/mbus/mbus_frame.h"

struct decode_sink {
    void *context;
    void (*give)(void *context, json_t *entry, enum decode_result result); /* takes the entry */
};

#define STREAM_FLOWS_MAX 32 /* pairs of HDLC addresses whose segments are put together at once */
struct stream_flow {
    uint64_t way;
    struct octets data; /* segments so far */
    unsigned n_frames;  /* in data */
    bool doubtful;      /* a check sum was wrong in one of them */
    int last_ns;        /* N(S) of the last I frame, -1 none */
    struct octets last; /* and its octets, to know a repetition */
};

struct decode_stream { /* all zeros, talk and sink: a new one */
    struct decode_talk *talk;
    struct decode_sink sink;
    uint64_t way;       /* of this stream, where a conversation has two */
    json_t *origin;     /* fields for every link: time, addresses; owned; NULL: none */
    bool relaxed;       /* octets are masked: check sums count for nothing */
    struct octets rest; /* not yet understood */
    size_t look_at;     /* a bare APDU is not looked at again before rest is so long */
    bool at_unit;       /* rest begins where a unit began */
    bool within_cut;    /* looking for frames in what a cut one left: a wrapper's head is chance */
    bool given;         /* an entry came of the present unit */
    size_t n_junk;
    bool connected; /* HDLC frames of a connection came: equal numbers mean a repetition */
    struct stream_flow flow[STREAM_FLOWS_MAX];
    unsigned n_flows;
    struct mbus_join join;
    struct octets join_room;
    char join_trouble[64]; /* what is odd in the segments of the present APDU; empty: nothing */
};

void decode_stream_feed(struct decode_stream *s, const uint8_t *p, size_t n);
void decode_stream_unit(struct decode_stream *s, const uint8_t *p, size_t n);
/* Whether these octets begin with a whole frame, with the head of one in HDLC, or are a whole APDU.
 * A bare A-XDR list is a weak sign: not counted with `strong`. While something is kept that they
 * could continue, `strong` wants a frame, and without it an APDU that does not continue that. */
bool decode_stream_begins(const struct decode_stream *s, struct bytes b, bool strong);
/* A whole frame of any link begins here, check sums right: its length, 0 else. */
size_t decode_frame_at(struct bytes b);
void decode_stream_flush(struct decode_stream *s); /* no unit will continue what is kept */
/* The end of it all: what is still open gives entries with errors. Frees; the talk is the
 * caller's, and its open block transfers are told by the last of its streams. */
void decode_stream_end(struct decode_stream *s);
void decode_stream_free(struct decode_stream *s);
/* An entry for what could not be read at all. */
void decode_refuse(const struct decode_sink *sink, const char *transport, json_t *origin,
                   const char *why);

#endif
