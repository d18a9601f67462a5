// SPDX-License-Identifier: MIT OR Apache-2.0
// The header as C++: it compiles, and the functions have C's names.

#include "muennet.h"

static_assert(sizeof(muennet_link) == MUENNET_LINK_SIZE, "size of a link");
static_assert(alignof(muennet_link) == MUENNET_LINK_ALIGN, "alignment of a link");

int main()
{
    muennet_link link{};
    return muennet_pending(&link) == MUENNET_RESULT_NOT_OPEN ? 0 : 1;
}
