/* Rules of the classes 42 and 48: lists of addresses. An address is in its list once. Blue Book
 * 4.9.2, 4.9.3 */
#include "lib/cosem/values_parts.h"

static enum cosem_result invoke_ipv4(const struct rule_call *k, uint8_t method, struct rd *param,
                                     struct wr *reply)
{
    struct bytes p = param_octets(param);
    if (method == 1)
        return list_put(k, 4, p);
    if (method == 2)
        return list_remove(k, 4, list_match_key, &p);
    axdr_put_u16(reply, (uint16_t)list_count(rule_value(k, 4)));
    return COSEM_SUCCESS;
}

static enum cosem_result check_ipv4(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    (void)k;
    return attr != 4 || list_keys_differ(value) ? COSEM_SUCCESS : COSEM_OTHER_REASON;
}

const struct values_rule rule_ipv4 = {.class_id = 42, .check = check_ipv4, .invoke = invoke_ipv4};

/* {0 unicast, 1 multicast, 2 gateway; address}: attributes 4, 5, 6 */
static enum cosem_result invoke_ipv6(const struct rule_call *k, uint8_t method, struct rd *param,
                                     struct wr *reply)
{
    struct rd r = key_of(param_octets(param));
    uint8_t attr = (uint8_t)(4 + axdr_get_uint(&r));
    struct bytes address = param_octets(&r);
    (void)reply;
    return method == 1 ? list_put(k, attr, address)
                       : list_remove(k, attr, list_match_key, &address);
}

static enum cosem_result check_ipv6(const struct rule_call *k, uint8_t attr, struct bytes value)
{
    (void)k;
    return attr < 4 || attr > 6 || list_keys_differ(value) ? COSEM_SUCCESS : COSEM_OTHER_REASON;
}

const struct values_rule rule_ipv6 = {.class_id = 48, .check = check_ipv6, .invoke = invoke_ipv6};
