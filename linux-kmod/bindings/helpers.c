// SPDX-License-Identifier: GPL-2.0-only
#include "bindings.h"
#include "helpers.h"

void muennet_init_work(struct work_struct *work, work_func_t func) { INIT_WORK(work, func); }
void muennet_queue_work_on(int cpu, struct work_struct *work) { queue_work_on(cpu, system_highpri_wq, work); }
void *muennet_netdev_priv(const struct net_device *dev) { return netdev_priv(dev); }
void muennet_eth_hw_addr_random(struct net_device *dev) { eth_hw_addr_random(dev); }
void muennet_netif_napi_add(struct net_device *dev, struct napi_struct *napi, int (*poll)(struct napi_struct *, int)) { netif_napi_add(dev, napi, poll); }
void muennet_netif_napi_del(struct napi_struct *napi) { netif_napi_del(napi); }
bool muennet_napi_schedule_prep(struct napi_struct *napi) { return napi_schedule_prep(napi); }
void muennet_napi_schedule(struct napi_struct *napi) { napi_schedule(napi); }
gro_result_t muennet_napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb) { return napi_gro_receive(napi, skb); }
void muennet_netif_start_queue(struct net_device *dev) { netif_start_queue(dev); }
void muennet_netif_stop_queue(struct net_device *dev) { netif_stop_queue(dev); }
bool muennet_netif_carrier_ok(const struct net_device *dev) { return netif_carrier_ok(dev); }
bool muennet_netdev_xmit_more(void) { return netdev_xmit_more(); }
void muennet_dev_sw_netstats_rx_add(struct net_device *dev, unsigned int len) { dev_sw_netstats_rx_add(dev, len); }
void muennet_dev_sw_netstats_tx_add(struct net_device *dev, unsigned int packets, unsigned int len) { dev_sw_netstats_tx_add(dev, packets, len); }
void muennet_dev_kfree_skb_any(struct sk_buff *skb) { dev_kfree_skb_any(skb); }
void muennet_dev_consume_skb_any(struct sk_buff *skb) { dev_consume_skb_any(skb); }
void muennet_skb_tx_timestamp(struct sk_buff *skb) { skb_tx_timestamp(skb); }
unsigned int muennet_skb_headlen(const struct sk_buff *skb) { return skb_headlen(skb); }
bool muennet_net_ratelimit(void) { return net_ratelimit(); }
unsigned int muennet_smp_processor_id(void) { return raw_smp_processor_id(); }
void muennet_local_bh_disable(void) { local_bh_disable(); }
void muennet_local_bh_enable(void) { local_bh_enable(); }
int muennet_request_irq(unsigned int irq, irq_handler_t handler, const char *name, void *dev) { return request_irq(irq, handler, 0, name, dev); }
void muennet_hrtimer_start(struct hrtimer *timer, u64 ns) { hrtimer_start(timer, ns_to_ktime(ns), HRTIMER_MODE_REL_SOFT); }
void muennet_hrtimer_forward_now(struct hrtimer *timer, u64 ns) { hrtimer_forward_now(timer, ns_to_ktime(ns)); }
void muennet_set_live_addr_change(struct net_device *dev) { dev->priv_flags |= IFF_LIVE_ADDR_CHANGE; }
void muennet_eth_type_trans(struct sk_buff *skb, struct net_device *dev) { skb->protocol = eth_type_trans(skb, dev); }
