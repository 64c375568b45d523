/* Frames registered with libgcc, as a compiler at run time does: the unwinder sorts
 * them when it first looks at them, with memory from malloc and its lock held. Each
 * exception, and each walk of the hooks, looks. The sorted lists are the unwinder's:
 * more than the marks is live. */
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <unistd.h>

extern "C" void __register_frame(void *frames);
extern "C" void __deregister_frame(void *frames);

/* A CIE and an FDE of x86-64's or aarch64's shape, for code that never runs (DWARF 5,
 * 6.4.1, in the form of .eh_frame). */
struct frames {
    std::uint32_t cie_length, cie_id;
    std::uint8_t version, augmentation, code_factor, data_factor, return_column;
    std::uint8_t cie_rest[7];
    std::uint32_t fde_length, fde_cie;
    std::uint64_t start, bytes;
    std::uint64_t fde_rest;
    std::uint32_t end;
} __attribute__((packed));

static unsigned char code[4096];
static struct frames frames[2];
static void *kept[4];

extern "C" __attribute__((noinline)) void stop_here()
{
    __asm__ volatile("");
}

static void register_frames(struct frames *of, std::size_t at)
{
    std::memset(of, 0, sizeof(*of));
    of->cie_length = offsetof(struct frames, fde_length) - sizeof(of->cie_length);
    of->version = 1;
    of->code_factor = 1;
    of->data_factor = 0x78; /* -8 */
    of->return_column = 16;
    of->fde_length =
        offsetof(struct frames, end) - offsetof(struct frames, fde_length) - sizeof(of->fde_length);
    of->fde_cie = offsetof(struct frames, fde_cie);
    of->start = reinterpret_cast<std::uint64_t>(code) + at;
    of->bytes = 16;
    __register_frame(of);
}

static bool throw_one()
{
    try {
        throw std::runtime_error("found"); /* heap: thrown size=0 count=0 */
    } catch (const std::exception &) {
        return true;
    }
}

int main()
{
    register_frames(&frames[0], 0);
    kept[0] = std::malloc(100); /* heap: walked_first size=100 count=1 */
    if (!throw_one())
        _exit(1);
    register_frames(&frames[1], 64);
    if (!throw_one())
        _exit(1);
    kept[1] = std::malloc(200); /* heap: thrown_first size=200 count=1 */
    __deregister_frame(&frames[0]);
    kept[2] = std::malloc(300); /* heap: one_gone size=300 count=1 */
    stop_here();
    _exit(0);
}
