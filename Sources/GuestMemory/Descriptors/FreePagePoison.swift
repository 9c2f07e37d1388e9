internal import CheckpointCodec
internal import CheckpointImage

/// The pattern with which a kernel fills free pages that is told to look for writes to them (`page_poison=1`).
///
/// Other settings do not mind zeros: `init_on_free` wants to find just them, `init_on_alloc` writes them once more, and
/// with `debug_pagealloc` nobody looks at what is in a free page.
enum FreePagePoison {
  private static let pattern: UInt8 = 0xaa
  private static let sample = 64

  /// Whether most of some free pages, spread over all of them, hold nothing but the pattern. A single page may come
  /// from a program that used to have it.
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
    unsafe page.withUnsafeBytes { unsafe $0.allSatisfy { $0 == pattern } }
  }
}
