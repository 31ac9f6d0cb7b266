/* Captures of networks and lines: pcap and pcapng files to packets, packets to conversations.
 *
 * Read: Ethernet (VLANs, PPPoE), Linux cooked 1 and 2, raw IP, loopback, PPP; IPv4 and IPv6; TCP
 * put in order, each connection with its own titles and block transfers; UDP. DLT_USER and RTAC
 * serial packets are octets of one line. Conversations on port 4059 are decoded whatever they hold,
 * others when a frame of DLMS is found at their beginning. Not read: IP fragments (each gives an
 * entry with an error), compressed files. */
#ifndef FERRARIS_CLI_DECODE_PCAP_H
#define FERRARIS_CLI_DECODE_PCAP_H

#include "cli/decode_stream.h"

#define PCAP_HELD_MAX                                                                              \
    1024 /* segments that came too early, of one direction; then the gap is told */

struct net_side;
struct net_talk;
struct decode_net { /* all zeros, keys and sink: a new one; ended by decode_net_end() */
    struct decode_keys keys;
    struct decode_sink sink;
    struct net_talk *bucket[256];
    struct net_talk *first, *last; /* in the order they began */
    size_t n_passed;               /* conversations without DLMS */
    bool link_refused;
};

bool decode_is_pcap(struct bytes file);
/* A whole file. A cut or broken one gives an entry with an error behind what could be read. */
void decode_pcap(struct decode_net *net, struct bytes file);
/* One packet; ns since 1970. */
void decode_net_packet(struct decode_net *net, unsigned link_type, uint64_t time_ns,
                       struct bytes packet);
/* What is open gives its entries. Frees. */
void decode_net_end(struct decode_net *net);

#endif
