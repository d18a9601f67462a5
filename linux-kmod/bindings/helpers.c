// SPDX-License-Identifier: GPL-2.0-only
#include "bindings.h"
#include "../compat/compat.h"
#include "helpers.h"

void muennet_init_work(struct work_struct *work, work_func_t func) { INIT_WORK(work, func); }
void muennet_queue_work_on(int cpu, struct work_struct *work) { queue_work_on(cpu, system_highpri_wq, work); }
void muennet_schedule_work(struct work_struct *work) { schedule_work(work); }
void *muennet_netdev_priv(const struct net_device *dev) { return netdev_priv(dev); }
void muennet_eth_hw_addr_set(struct net_device *dev, const u8 *address) { eth_hw_addr_set(dev, address); }
void muennet_netif_napi_add(struct net_device *dev, struct napi_struct *napi, int (*poll)(struct napi_struct *, int)) { netif_napi_add(dev, napi, poll); }
void muennet_netif_napi_del(struct napi_struct *napi) { netif_napi_del(napi); }
bool muennet_napi_schedule_prep(struct napi_struct *napi) { return napi_schedule_prep(napi); }
gro_result_t muennet_napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb) { return napi_gro_receive(napi, skb); }
void muennet_netif_start_queue(struct net_device *dev) { netif_start_queue(dev); }
void muennet_netif_stop_queue(struct net_device *dev) { netif_stop_queue(dev); }
bool muennet_netif_carrier_ok(const struct net_device *dev) { return netif_carrier_ok(dev); }
bool muennet_netif_running(const struct net_device *dev) { return netif_running(dev); }
bool muennet_netdev_xmit_more(void) { return netdev_xmit_more(); }
void muennet_dev_sw_netstats_rx_add(struct net_device *dev, unsigned int len) { dev_sw_netstats_rx_add(dev, len); }
void muennet_dev_sw_netstats_tx_add(struct net_device *dev, unsigned int packets, unsigned int len) { dev_sw_netstats_tx_add(dev, packets, len); }
void muennet_dev_kfree_skb_any(struct sk_buff *skb) { dev_kfree_skb_any(skb); }
void muennet_dev_consume_skb_any(struct sk_buff *skb) { dev_consume_skb_any(skb); }
void muennet_skb_tx_timestamp(struct sk_buff *skb) { skb_tx_timestamp(skb); }
bool muennet_net_ratelimit(void) { return net_ratelimit(); }
void muennet_local_bh_disable(void) { local_bh_disable(); }
void muennet_local_bh_enable(void) { local_bh_enable(); }
int muennet_request_irq(unsigned int irq, irq_handler_t handler, const char *name, void *dev) { return request_irq(irq, handler, 0, name, dev); }
void muennet_hrtimer_start(struct hrtimer *timer, u64 ns) { hrtimer_start(timer, ns_to_ktime(ns), HRTIMER_MODE_REL_SOFT); }
void muennet_hrtimer_forward_now(struct hrtimer *timer, u64 ns) { hrtimer_forward_now(timer, ns_to_ktime(ns)); }
void muennet_set_live_addr_change(struct net_device *dev) { dev->priv_flags |= IFF_LIVE_ADDR_CHANGE; }
void muennet_eth_type_trans(struct sk_buff *skb, struct net_device *dev) { skb->protocol = eth_type_trans(skb, dev); }
unsigned int muennet_skb_frags(const struct sk_buff *skb) { return skb_shinfo(skb)->nr_frags; }
const void *muennet_skb_frag(const struct sk_buff *skb, unsigned int i, unsigned int *len) { *len = skb_frag_size(&skb_shinfo(skb)->frags[i]); return skb_frag_address(&skb_shinfo(skb)->frags[i]); }
void muennet_skb_set_mark(struct sk_buff *skb, u32 mark) { skb->mark = mark; }
void muennet_skb_set_dev(struct sk_buff *skb, struct net_device *dev) { skb->dev = dev; }
void muennet_skb_set_flow(struct sk_buff *skb, u32 flow) { skb_set_hash(skb, flow, PKT_HASH_TYPE_L3); }
void muennet_skb_is_packet(struct sk_buff *skb) { skb_reset_mac_header(skb); skb_reset_network_header(skb); skb->protocol = ip_tunnel_parse_protocol(skb); }
void muennet_skb_queue_init(struct sk_buff_head *queue) { __skb_queue_head_init(queue); }
void muennet_skb_queue_tail(struct sk_buff_head *queue, struct sk_buff *skb) { __skb_queue_tail(queue, skb); }
struct sk_buff *muennet_skb_dequeue(struct sk_buff_head *queue) { return __skb_dequeue(queue); }
void muennet_icmp_frag_needed(struct sk_buff *skb, u32 mtu) { icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu)); }
void muennet_icmpv6_too_big(struct sk_buff *skb, u32 mtu) { icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu); }
void muennet_dev_hold(struct net_device *dev) { dev_hold(dev); }
void muennet_dev_put(struct net_device *dev) { dev_put(dev); }
struct net *muennet_dev_net(const struct net_device *dev) { return dev_net(dev); }
void muennet_dev_core_stats_tx_dropped_inc(struct net_device *dev) { dev_core_stats_tx_dropped_inc(dev); }
void muennet_netif_keep_dst(struct net_device *dev) { netif_keep_dst(dev); }
void muennet_set_no_queue(struct net_device *dev) { dev->priv_flags |= IFF_NO_QUEUE; compat_set_lltx(dev); }
void muennet_set_lltx(struct net_device *dev) { compat_set_lltx(dev); }
const char *muennet_nla_data(const struct nlattr *attribute) { return nla_data(attribute); }
int muennet_nla_len(const struct nlattr *attribute) { return nla_len(attribute); }
u32 muennet_nla_get_u32(const struct nlattr *attribute) { return nla_get_u32(attribute); }
int muennet_nla_put_u64(struct sk_buff *skb, int type, u64 value, int pad) { return nla_put_u64_64bit(skb, type, value, pad); }
struct net *muennet_sock_net(const struct sk_buff *skb) { return sock_net(skb->sk); }
bool muennet_net_admin(const struct sk_buff *skb, const struct net *net) { return netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN); }
u32 muennet_portid(const struct sk_buff *skb) { return NETLINK_CB(skb).portid; }
void muennet_genlmsg_end(struct sk_buff *skb, void *header) { genlmsg_end(skb, header); }
void muennet_genlmsg_cancel(struct sk_buff *skb, void *header) { genlmsg_cancel(skb, header); }
void muennet_family_netnsok(struct genl_family *family) { family->netnsok = true; }
u8 muennet_dump_command(const struct netlink_callback *cb) { return ((const struct genlmsghdr *)nlmsg_data(cb->nlh))->cmd; }
long *muennet_cb_args(struct netlink_callback *cb) { return cb->args; }
bool muennet_is_err(const void *pointer) { return IS_ERR(pointer); }
long muennet_ptr_err(const void *pointer) { return PTR_ERR(pointer); }
unsigned int muennet_skb_checksum_start(const struct sk_buff *skb) { return skb_checksum_start_offset(skb); }
unsigned int muennet_skb_checksum_offset(const struct sk_buff *skb) { return skb->csum_offset; }
bool muennet_here(unsigned int cpu) { return raw_smp_processor_id() == cpu && !irqs_disabled(); }
struct dentry *muennet_debugfs_create_dir(const char *name, struct dentry *parent) { return debugfs_create_dir(name, parent); }
void muennet_debugfs_create_file(const char *name, umode_t mode, struct dentry *parent, void *data, const struct file_operations *operations) { debugfs_create_file(name, mode, parent, data, operations); }
void muennet_debugfs_remove(struct dentry *entry) { debugfs_remove(entry); }
u32 muennet_skb_mark(const struct sk_buff *skb) { return skb->mark; }
bool muennet_skb_checksum_partial(const struct sk_buff *skb) { return skb->ip_summed == CHECKSUM_PARTIAL; }
void muennet_hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*function)(struct hrtimer *)) { compat_hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL_SOFT); }
struct sk_buff *muennet_napi_alloc_skb(struct napi_struct *napi, unsigned int len) { return napi_alloc_skb(napi, len); }
void muennet_set_tstats(struct net_device *dev) { compat_set_tstats(dev); }
int muennet_init_tstats(struct net_device *dev) { return compat_init_tstats(dev); }
void muennet_free_tstats(struct net_device *dev) { compat_free_tstats(dev); }
char *muennet_ack_room(struct netlink_ext_ack *ack) { return compat_ack_room(ack); }
void muennet_fetch_tstats(struct rtnl_link_stats64 *stats, struct net_device *dev) { dev_fetch_sw_netstats(stats, dev->tstats); }
#ifdef COMPAT_HAS_NEWLINK_PARAMS
struct net *muennet_link_net(struct rtnl_newlink_params *params) { return rtnl_newlink_link_net(params); }
#endif
