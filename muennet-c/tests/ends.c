/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two ends of a link over plain memory, and misuse that is refused. */

#include "muennet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                          \
    do {                                                                          \
        if (!(condition)) {                                                       \
            fprintf(stderr, "%s:%d: not %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                              \
        }                                                                         \
    } while (0)

#define PROTOCOL UINT64_C(0x7ade5c549b08e814)
#define ELEMENTS 64

_Static_assert(sizeof(struct muennet_link) == MUENNET_LINK_SIZE, "size of a link");
_Static_assert(_Alignof(struct muennet_link) == MUENNET_LINK_ALIGN, "alignment of a link");

/* A wire: a region each way, on the heap for AddressSanitizer to guard. */
struct wire {
    void *there, *back;
    size_t size;
};

struct bell {
    struct muennet_link *link;
    unsigned rings;
    enum muennet_result inner;
};

static void ring(void *context)
{
    struct bell *bell = context;
    bell->rings++;
    bell->inner = muennet_pending(bell->link);
}

static struct wire wire(uint32_t mode)
{
    struct wire wire;
    CHECK(muennet_region_size(mode, 1500, ELEMENTS, &wire.size) == MUENNET_RESULT_OK);
    wire.there = calloc(1, wire.size);
    wire.back = calloc(1, wire.size);
    CHECK(wire.there && wire.back);
    return wire;
}

static void cut(struct wire *wire)
{
    free(wire->there);
    free(wire->back);
}

static struct muennet_config config(const void *in, void *out, size_t size, uint32_t mode)
{
    struct muennet_config config;
    memset(&config, 0, sizeof config);
    config.input.base = in;
    config.input.length = size;
    config.input.protocol = PROTOCOL;
    config.output.base = out;
    config.output.length = size;
    config.output.protocol = PROTOCOL;
    config.mode = mode;
    config.mtu = 1500;
    return config;
}

/* Sends frames that say which they are. */
static void send_numbers(struct muennet_link *link, unsigned from, unsigned to)
{
    for (; from < to; from++) {
        unsigned char frame[60];
        struct muennet_slice parts[2] = {{frame, 14}, {frame + 14, sizeof frame - 14}};
        memset(frame, (int)from, sizeof frame);
        CHECK(muennet_send(link, parts, 2, 0) == MUENNET_RESULT_OK);
    }
}

/* Receives the frames from one number to another, each once, and then nothing. */
static void expect_numbers(struct muennet_link *link, unsigned from, unsigned to)
{
    for (;;) {
        unsigned char buffer[1514];
        struct muennet_frame frame;
        enum muennet_result result = muennet_receive(link, buffer, sizeof buffer, &frame);
        if (result == MUENNET_RESULT_NEW_EPOCH) {
            CHECK(frame.found != 0);
            continue;
        }
        if (result == MUENNET_RESULT_EMPTY || result == MUENNET_RESULT_INACTIVE)
            break;
        CHECK(result == MUENNET_RESULT_OK && frame.length == 60);
        CHECK(buffer[0] == from && buffer[59] == from);
        from++;
    }
    CHECK(from == to);
}

static void modes(uint32_t mode)
{
    struct wire w = wire(mode);
    struct muennet_link a = {{0}}, b = {{0}};
    struct bell bell = {&a, 0, MUENNET_RESULT_OK};
    struct muennet_config ca = config(w.back, w.there, w.size, mode);
    struct muennet_config cb = config(w.there, w.back, w.size, mode);
    unsigned char packet[60] = {0x45, 0, 0, 60}, buffer[1518];
    struct muennet_slice parts[3] = {{packet, 20}, {NULL, 0}, {packet + 20, 40}};
    struct muennet_packet packets[MUENNET_BATCH];
    struct muennet_arrival arrivals[MUENNET_BATCH];
    unsigned char buffers[MUENNET_BATCH][1518];
    struct muennet_frame frame;
    struct muennet_burst burst;
    struct muennet_counters counters;
    struct muennet_info info;
    uint64_t epoch;
    size_t failed = 77;
    int net_hdr = mode == MUENNET_MODE_NET_HDR;

    ca.notify = ring;
    ca.notify_context = &bell;
    CHECK(muennet_open(&a, &ca) == MUENNET_RESULT_OK);
    CHECK(muennet_open(&b, &cb) == MUENNET_RESULT_OK);
    CHECK(muennet_send(&a, parts, 3, 5) == MUENNET_RESULT_SEND_INACTIVE);
    CHECK(muennet_peer(&b, &epoch) == MUENNET_RESULT_INACTIVE && epoch == 0);
    CHECK(muennet_activate(&a, 42) == MUENNET_RESULT_OK && bell.rings == 1);
    /* A notifier that uses its link is refused. */
    CHECK(bell.inner == MUENNET_RESULT_BUSY);
    CHECK(muennet_peer(&b, &epoch) == MUENNET_RESULT_OK && epoch == 42);
    CHECK(muennet_pending(&b) == MUENNET_RESULT_OK);
    CHECK(muennet_receive(&b, buffer, sizeof buffer, &frame) == MUENNET_RESULT_NEW_EPOCH);
    CHECK(frame.found == 42);
    CHECK(muennet_send(&a, parts, 3, 5) == MUENNET_RESULT_OK && bell.rings == 2);
    CHECK(muennet_receive(&b, buffer, sizeof buffer, &frame) == MUENNET_RESULT_OK);
    CHECK(memcmp(buffer, packet, sizeof packet) == 0);
    CHECK(frame.length == (mode == MUENNET_MODE_RAW ? 1500 : 60));
    CHECK(frame.mark == (net_hdr ? 5u : 0u) && frame.protocol == (net_hdr ? 4u : 0u));
    CHECK(muennet_pending(&b) == MUENNET_RESULT_EMPTY);
    CHECK(muennet_receive(&b, buffer, sizeof buffer, &frame) == MUENNET_RESULT_EMPTY);
    /* A buffer without room costs its frame. */
    CHECK(muennet_send(&a, parts, 3, 0) == MUENNET_RESULT_OK);
    CHECK(muennet_receive(&b, NULL, 0, &frame) == MUENNET_RESULT_REJECT_NO_ROOM);
    CHECK(frame.found == (mode == MUENNET_MODE_RAW ? 1500 : 60));

    /* A batch, and a burst that has room for more. */
    memset(packets, 0, sizeof packets);
    for (int i = 0; i < MUENNET_BATCH; i++) {
        packets[i].parts = parts;
        packets[i].count = i % 2 ? 3 : 1;
        arrivals[i].buffer = buffers[i];
        arrivals[i].room = sizeof buffers[i];
    }
    parts[0].length = 60;
    parts[2].length = 0;
    CHECK(muennet_send_batch(&a, packets, 20, NULL) == MUENNET_RESULT_OK && bell.rings == 4);
    CHECK(muennet_write_batch(&a, packets, 2, NULL) == MUENNET_RESULT_OK && bell.rings == 4);
    CHECK(muennet_notify(&a) == MUENNET_RESULT_OK && bell.rings == 5);
    CHECK(muennet_receive_burst(&b, arrivals, 5, &burst) == MUENNET_RESULT_OK && burst.taken == 5);
    CHECK(muennet_receive_burst(&b, arrivals, MUENNET_BATCH, &burst) == MUENNET_RESULT_OK);
    CHECK(burst.taken == 17 && burst.lost == 0);
    for (int i = 0; i < MUENNET_BATCH; i++)
        CHECK(arrivals[i].result == (i < 17 ? MUENNET_RESULT_OK : MUENNET_RESULT_EMPTY));
    CHECK(memcmp(buffers[16], packet, sizeof packet) == 0);
    /* One that cannot be sent stops all. */
    packets[3].flags = MUENNET_PACKET_CHECKSUM;
    packets[3].checksum_start = 70;
    CHECK(muennet_send_batch(&a, packets, 5, &failed) == MUENNET_RESULT_FRAME_CHECKSUM);
    CHECK(failed == 3);
    packets[2].flags = 2;
    CHECK(muennet_send_batch(&a, packets, 5, &failed) == MUENNET_RESULT_UNKNOWN_FLAG);
    CHECK(failed == 2);
    CHECK(muennet_receive(&b, buffer, sizeof buffer, &frame) == MUENNET_RESULT_EMPTY);

    /* Too many for the channel: the oldest are lost, and counted. */
    for (int i = 0; i < 4; i++)
        CHECK(muennet_send_batch(&a, packets, 2, NULL) == MUENNET_RESULT_OK);
    for (int i = 0; i < ELEMENTS; i++)
        CHECK(muennet_send(&a, parts, 1, 0) == MUENNET_RESULT_OK);
    CHECK(muennet_receive(&b, buffer, sizeof buffer, &frame) == MUENNET_RESULT_OVERRUN);
    CHECK(frame.found >= 8);
    CHECK(muennet_counters(&b, &counters) == MUENNET_RESULT_OK);
    CHECK(counters.received == 23 && counters.rejected == 1 && counters.lost == frame.found);
    CHECK(counters.epochs == 1);
    CHECK(muennet_counters(&a, &counters) == MUENNET_RESULT_OK);
    CHECK(counters.sent == 2 + 22 + 8 + ELEMENTS && counters.refused == 1 + 5);
    CHECK(muennet_info(&a, &info) == MUENNET_RESULT_OK);
    CHECK(info.output_elements == ELEMENTS && info.output_epoch == 42 && info.input_elements == 0);
    CHECK(muennet_info(&b, &info) == MUENNET_RESULT_OK);
    CHECK(info.input_elements == ELEMENTS && info.output_epoch == 0);

    /* A header that lies is a fault until the next epoch. */
    ((uint64_t *)w.there)[7] = 1;
    ((uint64_t *)w.there)[6] = 1;
    CHECK(muennet_receive(&b, buffer, sizeof buffer, &frame)
          == MUENNET_RESULT_FAULT_STARTED_BEHIND_WRITTEN);
    CHECK(muennet_peer(&b, NULL) == MUENNET_RESULT_FAULT_STARTED_BEHIND_WRITTEN);
    CHECK(muennet_close(&a) == MUENNET_RESULT_OK);
    CHECK(muennet_peer(&b, NULL) == MUENNET_RESULT_INACTIVE);
    CHECK(muennet_close(&b) == MUENNET_RESULT_OK);
    cut(&w);
}

/* Which end starts again, how, and beside which peer: frames from before are received by
 * nobody, frames from after all, each once. */
static void restart(int ours, int quick, int busy)
{
    struct wire w = wire(MUENNET_MODE_ETHERNET);
    struct muennet_link we = {{0}}, peer = {{0}};
    struct bell bell = {&we, 0, MUENNET_RESULT_OK};
    struct muennet_config cw = config(w.back, w.there, w.size, MUENNET_MODE_ETHERNET);
    struct muennet_config cp = config(w.there, w.back, w.size, MUENNET_MODE_ETHERNET);
    struct muennet_link *link = ours ? &we : &peer;
    unsigned before = busy ? 20 : 0;

    cw.notify = ring;
    cw.notify_context = &bell;
    CHECK(muennet_open(&peer, &cp) == MUENNET_RESULT_OK);
    CHECK(muennet_activate(&peer, 1) == MUENNET_RESULT_OK);
    send_numbers(&peer, 0, before);
    CHECK(muennet_open(&we, &cw) == MUENNET_RESULT_OK);
    CHECK(muennet_activate(&we, 2) == MUENNET_RESULT_OK);
    expect_numbers(&we, 0, 0);
    CHECK(bell.rings == 1);
    send_numbers(&peer, 100, 103);
    expect_numbers(&we, 100, 103);

    send_numbers(&peer, 0, before);
    if (!quick) {
        CHECK(muennet_deactivate(link) == MUENNET_RESULT_OK);
        if (!ours)
            expect_numbers(&we, 0, 0);
    }
    bell.rings = 0;
    CHECK(muennet_activate(link, 3) == MUENNET_RESULT_OK);
    if (ours)
        expect_numbers(&we, 0, 0);
    send_numbers(&peer, 150, 155);
    expect_numbers(&we, 150, 155);
    /* Ours by activation, the peer's as a greeting: one ring each. */
    CHECK(bell.rings == 1);
    send_numbers(&we, 200, 203);
    expect_numbers(&peer, 200, 203);
    CHECK(muennet_close(&we) == MUENNET_RESULT_OK);
    CHECK(muennet_close(&peer) == MUENNET_RESULT_OK);
    cut(&w);
}

static void misuse(void)
{
    struct wire w = wire(MUENNET_MODE_ETHERNET);
    struct muennet_link link = {{0}};
    struct muennet_config good = config(w.back, w.there, w.size, MUENNET_MODE_ETHERNET), bad;
    struct muennet_frame frame;
    struct muennet_burst burst;
    struct muennet_slice parts[MUENNET_PARTS + 1] = {{NULL, 0}};
    struct muennet_packet packet = {parts, 1, 0, 0, 0, 0};
    char *odd = (char *)&link + 4;
    size_t size;

    CHECK(muennet_open(NULL, &good) == MUENNET_RESULT_NULL_POINTER);
    CHECK(muennet_open(&link, NULL) == MUENNET_RESULT_NULL_POINTER);
    CHECK(muennet_open((void *)odd, &good) == MUENNET_RESULT_MISALIGNED);
#define REFUSED(change, code)                                                     \
    do {                                                                          \
        bad = good;                                                               \
        change;                                                                   \
        CHECK(muennet_open(&link, &bad) == MUENNET_RESULT_##code);                \
        CHECK(muennet_pending(&link) == MUENNET_RESULT_NOT_OPEN);                 \
    } while (0)
    REFUSED(bad.input.base = bad.output.base = NULL, NO_CHANNEL);
    REFUSED(bad.input.protocol = 0, ZERO_PROTOCOL);
    REFUSED(bad.output.protocol = 0, ZERO_PROTOCOL);
    REFUSED(bad.input.length = 63, REGION_TOO_SMALL);
    REFUSED(bad.output.length = 64, GEOMETRY_TOO_SMALL);
    REFUSED(bad.input.length = SIZE_MAX, REGION_WRAPS);
    REFUSED(bad.input.base = (char *)w.back + 1; bad.input.length--, REGION_MISALIGNED);
    REFUSED(bad.output.base = w.back, REGIONS_OVERLAP);
    REFUSED(bad.mode = 4, UNKNOWN_MODE);
    REFUSED(bad.resume = 2, UNKNOWN_RESUME);
    REFUSED(bad.mtu = 0, MTU);
    CHECK(muennet_region_size(MUENNET_MODE_RAW, 1500, SIZE_MAX, &size)
          == MUENNET_RESULT_REGION_WRAPS);

    bad = good;
    bad.output.base = NULL;
    CHECK(muennet_open(&link, &bad) == MUENNET_RESULT_OK);
    CHECK(muennet_send(&link, parts, 1, 0) == MUENNET_RESULT_NO_OUTPUT);
    CHECK(muennet_notify(&link) == MUENNET_RESULT_NO_OUTPUT);
    CHECK(muennet_close(&link) == MUENNET_RESULT_OK);
    CHECK(muennet_close(&link) == MUENNET_RESULT_NOT_OPEN);
    bad = good;
    bad.input.base = NULL;
    CHECK(muennet_open(&link, &bad) == MUENNET_RESULT_OK);
    CHECK(muennet_receive(&link, NULL, 0, &frame) == MUENNET_RESULT_NO_INPUT);
    CHECK(muennet_receive_burst(&link, NULL, 0, &burst) == MUENNET_RESULT_NO_INPUT);
    CHECK(muennet_peer(&link, NULL) == MUENNET_RESULT_NO_INPUT);

    CHECK(muennet_open(&link, &good) == MUENNET_RESULT_OK);
    CHECK(muennet_activate(&link, 0) == MUENNET_RESULT_ZERO_EPOCH);
    CHECK(muennet_activate(&link, 1) == MUENNET_RESULT_OK);
    CHECK(muennet_send(&link, NULL, 1, 0) == MUENNET_RESULT_NULL_POINTER);
    CHECK(muennet_send(&link, parts, MUENNET_PARTS + 1, 0) == MUENNET_RESULT_TOO_MANY_PARTS);
    CHECK(muennet_send(&link, parts, MUENNET_PARTS, 0) == MUENNET_RESULT_FRAME_TOO_SHORT);
    parts[0].length = 60;
    CHECK(muennet_send(&link, parts, 1, 0) == MUENNET_RESULT_NULL_POINTER);
    CHECK(muennet_send_batch(&link, &packet, 1, &size) == MUENNET_RESULT_NULL_POINTER);
    CHECK(size == 0);
    /* A frame that is too long is refused before it is read. */
    parts[0].base = &link;
    parts[0].length = SIZE_MAX;
    CHECK(muennet_send(&link, parts, 1, 0) == MUENNET_RESULT_FRAME_TOO_LONG);
    CHECK(muennet_send_batch(&link, &packet, MUENNET_BATCH + 1, NULL)
          == MUENNET_RESULT_TOO_MANY_FRAMES);
    CHECK(muennet_receive(&link, NULL, 1, &frame) == MUENNET_RESULT_NULL_POINTER);
    CHECK(muennet_receive(&link, NULL, 0, NULL) == MUENNET_RESULT_NULL_POINTER);
    CHECK(muennet_counters(&link, NULL) == MUENNET_RESULT_NULL_POINTER);
    CHECK(muennet_close(&link) == MUENNET_RESULT_OK);
    CHECK(strcmp(muennet_message(MUENNET_RESULT_EMPTY), "nothing new") == 0);
    cut(&w);
}

static void sinfo(void)
{
    static unsigned char page[MUENNET_SINFO_SIZE];
    struct muennet_subject subject;
    struct muennet_channel channel;
    struct muennet_resource resource;
    const uint64_t address = 0x40001000, size = 0x2000;

    for (unsigned version = 2; version <= 6; version++) {
        unsigned char *memory = page + 80, *event = memory + 128, *vector = event + 128;
        memset(page, 0, sizeof page);
        memcpy(page, "muinfo", 6);
        page[7] = (unsigned char)version;
        memcpy(page + 12, "\5linux", 6);
        page[version == 5 ? 78 : 77] = 3;
        memory[0] = 1, event[0] = 2, vector[0] = 3;
        memcpy(memory + 4, "\5c|out", 6);
        memcpy(event + 4, "\5c|out", 6);
        memcpy(vector + 4, "\4c|in", 5);
        memory[72] = 5;
        memory[74] = 1;
        memcpy(memory + 80, &address, 8);
        memcpy(memory + 88, &size, 8);
        event[72] = 16;
        vector[72] = 64;
        if (version < 3 || version > 5) {
            CHECK(muennet_sinfo_subject(page, sizeof page, &subject)
                  == MUENNET_RESULT_SINFO_VERSION);
            continue;
        }
        CHECK(muennet_sinfo_subject(page, sizeof page, &subject) == MUENNET_RESULT_OK);
        CHECK(subject.version == version && subject.resources == 3);
        CHECK(strcmp(subject.name, "linux") == 0);
        CHECK(muennet_sinfo_channel(page, sizeof page, "c|out", &channel) == MUENNET_RESULT_OK);
        CHECK(channel.address == address && channel.size == size && channel.writable);
        CHECK(channel.has_event && channel.event == 16 && !channel.has_vector);
        CHECK(muennet_sinfo_find(page, sizeof page, "c|in", MUENNET_KIND_VECTOR, &resource)
              == MUENNET_RESULT_OK);
        CHECK(resource.number == 64 && resource.kind == MUENNET_KIND_VECTOR);
        CHECK(muennet_sinfo_resource(page, sizeof page, 0, &resource) == MUENNET_RESULT_OK);
        CHECK(resource.memory_use == MUENNET_MEMORY_USE_CHANNEL);
        CHECK(muennet_sinfo_resource(page, sizeof page, 3, &resource)
              == MUENNET_RESULT_NOT_FOUND);
        CHECK(muennet_sinfo_channel(page, sizeof page, "c|in", &channel)
              == MUENNET_RESULT_NOT_FOUND);
        CHECK(muennet_sinfo_find(page, sizeof page, "", 1, &resource) == MUENNET_RESULT_BAD_NAME);
        CHECK(muennet_sinfo_find(page, sizeof page, "a", 7, &resource)
              == MUENNET_RESULT_UNKNOWN_KIND);
        CHECK(muennet_sinfo_subject(page, 79, &subject) == MUENNET_RESULT_SINFO_TOO_SHORT);
    }
}

int main(void)
{
    for (uint32_t mode = MUENNET_MODE_RAW; mode <= MUENNET_MODE_ETHERNET_VLAN; mode++)
        modes(mode);
    for (int way = 0; way < 8; way++)
        restart(way & 1, way & 2, way & 4);
    misuse();
    sinfo();
    puts("all hold");
    return 0;
}
