internal import CheckpointCodec
internal import CheckpointImage

/// The pattern that a kernel with `page_poison=1` writes into free pages to detect later writes to them.
///
/// Other settings accept zeros: `init_on_free` expects exactly them, `init_on_alloc` writes them once more, and
/// `debug_pagealloc` does not look at the contents of free pages.
enum FreePagePoison {
  private static let pattern: UInt8 = 0xaa
  private static let sample = 64

  /// Whether most of a sample of free pages, spread over all of them, consists of the pattern. A single page
  /// may come from a program that used to own it.
  static func isFound(in free: [PFN], of memory: any PhysicalMemory) throws(CheckpointError)
    -> Bool
  {
    let count = min(sample, free.count)
    guard count > 0 else { return false }
    let chosen = (0..<count).map { free[$0 * free.count / count] }
    let buffer = PageBuffer(pages: count)
    let unknown = try memory.copy(chosen[...], to: buffer, at: 0)
    let poisoned = chosen.indices.lazy.filter { slot in
      !unknown.contains(slot) && isPoisoned(buffer.page(slot))
    }.count
    return poisoned * 2 > count
  }

  private static func isPoisoned(_ page: RawSpan) -> Bool {
    // SAFETY: the pointer is used only inside the closure.
    unsafe page.withUnsafeBytes { unsafe $0.allSatisfy { $0 == pattern } }
  }
}
