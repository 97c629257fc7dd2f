// What the C library's allocator keeps of memory that was freed.
import CMartlet

package enum Allocator {
  /// A body of 6 MB is in a block of 8 MiB. As it comes, the allocator may fetch blocks of that size from the kernel
  /// for each body anew and return them after it, depending on what was freed before: half of the time of an invocation
  /// with 5 MiB is in page faults then.
  private static let (largestBlock, freeKept): (CInt, CInt) = (16 << 20, 32 << 20)

  /// Keeps what bodies were in: up to 32 MiB for each thread that has handled big ones. `giveBack` is for the rest.
  /// Whoever sets the allocator's own variables (MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_) knows better.
  package static func keepBodies() { cm_keep_freed(largestBlock, freeKept) }

  /// Whatever is free goes back to the kernel. Waits for the threads that are about to ask for memory, one by one.
  package static func giveBack() { cm_give_back() }
}
