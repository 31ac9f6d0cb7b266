/* The two ends of each kind of line. */
#include "tests/lib/cosem/matrix/rig.h"

static enum err make_builtin(struct rig *m)
{
    m->client_link = NULL;
    wrapper_link_init_stream(&m->ends.wrapper.server, true, m->server_buffer,
                             COSEM_PDU_MAX + GATEWAY_HEAD_MAX);
    m->server_link = &m->ends.wrapper.server.link;
    return ERR_OK;
}

static enum err make_stream(struct rig *m)
{
    wrapper_link_init_stream(&m->ends.wrapper.client, false, m->client_buffer,
                             COSEM_CLIENT_PDU_MAX);
    wrapper_link_init_stream(&m->ends.wrapper.server, true, m->server_buffer,
                             COSEM_PDU_MAX + GATEWAY_HEAD_MAX);
    m->client_link = &m->ends.wrapper.client.link;
    m->server_link = &m->ends.wrapper.server.link;
    return ERR_OK;
}

static enum err make_udp(struct rig *m)
{
    wrapper_link_init_datagrams(&m->ends.wrapper.client, false, m->client_buffer,
                                COSEM_CLIENT_PDU_MAX);
    wrapper_link_init_datagrams(&m->ends.wrapper.server, true, m->server_buffer,
                                COSEM_PDU_MAX + GATEWAY_HEAD_MAX);
    m->client_link = &m->ends.wrapper.client.link;
    m->server_link = &m->ends.wrapper.server.link;
    return ERR_OK;
}

static enum err make_gateway(struct rig *m)
{
    const struct gateway_prefix prefix = {
        .network = RIG_NETWORK, .address_len = 4, .address = {0x11, 0x22, 0x33, 0x44}};
    enum err err = make_stream(m);
    if (!err)
        err = gateway_link_init(&m->gateway, m->client_link, &prefix, m->gateway_buffer,
                                sizeof m->gateway_buffer);
    m->client_link = &m->gateway.link;
    return err;
}

static enum err make_hdlc(struct rig *m, uint8_t address_size, uint16_t info, uint8_t window)
{
    const struct hdlc_parameters p = {
        .max_info_tx = info, .max_info_rx = info, .window_tx = window, .window_rx = window};
    const struct hdlc_config client = {.parameters = p,
                                       .inactivity_ms = 120000,
                                       .client_sap = RIG_CLIENT,
                                       .server_sap = RIG_SERVER,
                                       .server_lower = address_size > 1 ? 17 : 0,
                                       .address_size = address_size,
                                       .response_ms = 1000,
                                       .retries = 3};
    const struct hdlc_config server = {
        .is_server = true, .parameters = p, .inactivity_ms = 120000, .physical = 17};
    enum err err =
        hdlc_init(&m->ends.hdlc.client, &client, m->client_buffer, sizeof m->client_buffer);
    if (!err)
        err = hdlc_init(&m->ends.hdlc.server, &server, m->server_buffer, sizeof m->server_buffer);
    m->client_link = &m->ends.hdlc.client.link;
    m->server_link = &m->ends.hdlc.server.link;
    return err;
}

static enum err make_hdlc_1(struct rig *m)
{
    return make_hdlc(m, 1, 128, 1);
}

static enum err make_hdlc_2(struct rig *m)
{
    return make_hdlc(m, 2, 64, 3);
}

static enum err make_hdlc_4(struct rig *m)
{
    return make_hdlc(m, 4, 2030, 7);
}

static enum err make_llc(struct rig *m)
{
    const struct llc_config client = {.own_sap = RIG_CLIENT}, server = {.is_server = true};
    llc_link_init(&m->ends.llc.client, &client, m->client_buffer, COSEM_CLIENT_PDU_MAX);
    llc_link_init(&m->ends.llc.server, &server, m->server_buffer, COSEM_PDU_MAX + GATEWAY_HEAD_MAX);
    m->client_link = &m->ends.llc.client.link;
    m->server_link = &m->ends.llc.server.link;
    return ERR_OK;
}

static enum err make_mbus(struct rig *m)
{
    const struct mbus_link_config client = {.address = 5, .retries = 3};
    const struct mbus_link_config server = {.is_server = true, .address = 5, .segment_max = 60};
    enum err err =
        mbus_link_init(&m->ends.mbus.client, &client, m->client_buffer, sizeof m->client_buffer);
    if (!err)
        err = mbus_link_init(&m->ends.mbus.server, &server, m->server_buffer,
                             sizeof m->server_buffer);
    m->client_link = &m->ends.mbus.client.link;
    m->server_link = &m->ends.mbus.server.link;
    return err;
}

const struct rig_link rig_links[] = {
    {.name = "wrapper, built in", .make = make_builtin},
    {.name = "wrapper, stream", .make = make_stream},
    {.name = "wrapper, datagrams", .make = make_udp, .datagrams = true},
    {.name = "gateway", .make = make_gateway},
    {.name = "HDLC, address 1, 128 octets, window 1", .make = make_hdlc_1},
    {.name = "HDLC, address 2, 64 octets, window 3", .make = make_hdlc_2},
    {.name = "HDLC, address 4, 2030 octets, window 7", .make = make_hdlc_4},
    {.name = "LLC of 61334-4-32", .make = make_llc, .datagrams = true},
    {.name = "M-Bus", .make = make_mbus},
};
const size_t rig_n_links = sizeof rig_links / sizeof rig_links[0];
