/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Sends every frame back that arrives on a pair of channels, which are files:
 *
 *     truncate -s 4M /dev/shm/in /dev/shm/out
 *     echo /dev/shm/in /dev/shm/out
 *
 * The peer writes the first file and reads the second. SIGTERM and SIGINT end it.
 */

#define _POSIX_C_SOURCE 200809L

#include "muennet.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL UINT64_C(0x7ade5c549b08e814)
#define LONGEST 1514

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void)signal;
    ended = 1;
}

/* Maps a whole file; its length goes to *length. */
static void *map(const char *path, int writable, size_t *length)
{
    int file = open(path, writable ? O_RDWR : O_RDONLY);
    struct stat stat;
    void *base;

    if (file < 0 || fstat(file, &stat) != 0) {
        perror(path);
        exit(1);
    }
    *length = (size_t)stat.st_size;
    base = mmap(NULL, *length, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, file, 0);
    if (base == MAP_FAILED) {
        perror(path);
        exit(1);
    }
    close(file);
    return base;
}

/* Ends the program where a call was refused. */
static void must(enum muennet_result result, const char *call)
{
    if (result != MUENNET_RESULT_OK) {
        fprintf(stderr, "%s: %s\n", call, muennet_message(result));
        exit(1);
    }
}

/* A number that is not 0. */
static uint64_t epoch(void)
{
    uint64_t number = 0;

    while (number == 0)
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
            perror("getrandom");
            exit(1);
        }
    return number;
}

int main(int count, char **arguments)
{
    static struct muennet_link link;
    static unsigned char buffers[MUENNET_BATCH][LONGEST];
    const struct timespec pause = {0, 50 * 1000};
    const struct sigaction action = {.sa_handler = end};
    struct muennet_config config = {0};
    struct muennet_counters counters;

    if (count != 3) {
        fprintf(stderr, "usage: echo IN OUT\n");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    config.input.base = map(arguments[1], 0, &config.input.length);
    config.input.protocol = PROTOCOL;
    config.output.base = map(arguments[2], 1, &config.output.length);
    config.output.protocol = PROTOCOL;
    config.mode = MUENNET_MODE_ETHERNET;
    config.mtu = 1500;
    must(muennet_open(&link, &config), "muennet_open");
    must(muennet_activate(&link, epoch()), "muennet_activate");
    puts("up");
    fflush(stdout);

    while (!ended) {
        struct muennet_arrival arrivals[MUENNET_BATCH] = {0};
        struct muennet_packet packets[MUENNET_BATCH] = {0};
        struct muennet_slice slices[MUENNET_BATCH];
        struct muennet_burst burst;
        size_t good = 0, place;
        enum muennet_result result;

        for (place = 0; place < MUENNET_BATCH; place++) {
            arrivals[place].buffer = buffers[place];
            arrivals[place].room = LONGEST;
        }
        result = muennet_receive_burst(&link, arrivals, MUENNET_BATCH, &burst);
        if (result == MUENNET_RESULT_NEW_EPOCH || result == MUENNET_RESULT_OVERRUN)
            continue; /* counted by the link; frames come next */
        if (result != MUENNET_RESULT_OK) { /* nothing there, or an unusable channel */
            nanosleep(&pause, NULL);
            continue;
        }
        for (place = 0; place < burst.taken; place++) {
            if (arrivals[place].result != MUENNET_RESULT_OK)
                continue;
            slices[good].base = arrivals[place].buffer;
            slices[good].length = arrivals[place].frame.length;
            packets[good].parts = &slices[good];
            packets[good].count = 1;
            good++;
        }
        if (good > 0)
            muennet_send_batch(&link, packets, good, NULL);
    }

    must(muennet_counters(&link, &counters), "muennet_counters");
    printf("%llu frames received, %llu sent, %llu lost\n",
           (unsigned long long)counters.received, (unsigned long long)counters.sent,
           (unsigned long long)counters.lost);
    must(muennet_close(&link), "muennet_close");
    return 0;
}
