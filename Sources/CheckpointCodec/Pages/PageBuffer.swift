internal import CheckpointImage
internal import Glibc
internal import Synchronization

/// Room for pages: usually for 256, 1 MiB, the unit of work between threads.
///
/// One thread at a time writes to a buffer; afterwards any number may read it.
@safe package final class PageBuffer: @unchecked Sendable {
  /// Pages of a usual buffer.
  package static let capacity = 256

  /// Pages of this buffer.
  package let pageCount: Int
  private let base: UnsafeMutableRawPointer
  /// Where the memory goes when the buffer is dropped; nil if it is freed.
  private let pool: PageBufferPool?

  /// A buffer with unspecified contents, whose memory is freed when it is dropped.
  package init(pages: Int = capacity) {
    pageCount = pages
    unsafe base = .allocate(byteCount: pages * Limits.pageSize, alignment: Limits.pageSize)
    pool = nil
  }

  /// A usual buffer whose memory goes back to a pool.
  fileprivate init(_ base: UnsafeMutableRawPointer, _ pool: PageBufferPool) {
    pageCount = Self.capacity
    unsafe self.base = base
    self.pool = pool
  }

  deinit {
    if let pool { return unsafe pool.take(back: base) }
    unsafe base.deallocate()
  }

  /// The bytes of some pages.
  @_lifetime(borrow self)
  package func bytes(_ pages: Range<Int>) -> RawSpan {
    let span = unsafe UnsafeRawBufferPointer(mutableBytes(pages)).bytes
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The bytes of one page.
  @_lifetime(borrow self)
  package func page(_ slot: Int) -> RawSpan { bytes(slot..<slot + 1) }

  package func mutableBytes(_ pages: Range<Int>) -> UnsafeMutableRawBufferPointer {
    precondition(pages.lowerBound >= 0 && pages.upperBound <= pageCount)
    return unsafe UnsafeMutableRawBufferPointer(
      start: base + pages.lowerBound * Limits.pageSize, count: pages.count * Limits.pageSize)
  }

  /// Copies pages from another buffer.
  package func copy(_ source: PageBuffer, _ pages: Range<Int>, to slot: Int) {
    unsafe mutableBytes(slot..<slot + pages.count).copyMemory(
      from: UnsafeRawBufferPointer(source.mutableBytes(pages)))
  }

  /// Copies whole pages from other memory.
  package func copy(_ source: UnsafeRawBufferPointer, to slot: Int) {
    let pages = source.count / Limits.pageSize
    unsafe mutableBytes(slot..<slot + pages).copyMemory(from: source)
  }

  /// Makes a page all zero.
  package func clear(_ slot: Int) {
    unsafe mutableBytes(slot..<slot + 1).initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// Whether a page holds only zero bytes.
  package func isZero(_ slot: Int) -> Bool {
    let page = unsafe mutableBytes(slot..<slot + 1)
    guard let start = page.baseAddress else { return true }
    // A page whose first word is zero and which equals itself one word on is all zero: the C
    // library's comparison runs at the speed of memory (measured 27 GB/s).
    return unsafe start.loadUnaligned(as: UInt64.self) == 0
      && memcmp(start, start + 8, page.count - 8) == 0
  }
}

/// The memory of usual buffers, used again and again: fresh memory costs a page fault for each
/// page. It is freed with the pool and the last of its buffers.
@safe package final class PageBufferPool: Sendable {
  @safe private struct Idle: @unchecked Sendable {
    // SAFETY: a pointer is in this list or in exactly one buffer.
    var pointers: [UnsafeMutableRawPointer] = unsafe []
  }

  private let idle = Mutex(Idle())

  /// A pool without memory yet.
  package init() {}

  deinit {
    idle.withLock { idle in
      while let pointer = unsafe idle.pointers.popLast() { unsafe pointer.deallocate() }
    }
  }

  /// A buffer with unspecified contents; only of usual ones the memory is used again.
  package func buffer(pages: Int = PageBuffer.capacity) -> PageBuffer {
    guard pages == PageBuffer.capacity else { return PageBuffer(pages: pages) }
    let used = unsafe idle.withLock { unsafe $0.pointers.popLast() }
    let base =
      unsafe used
      ?? .allocate(byteCount: pages * Limits.pageSize, alignment: Limits.pageSize)
    return unsafe PageBuffer(base, self)
  }

  /// Makes sure that so many usual buffers can be had without waiting for memory.
  package func prepare(_ count: Int) {
    let buffers = (0..<count).map { _ in buffer() }
    for buffer in buffers {
      for page in 0..<buffer.pageCount { unsafe buffer.mutableBytes(page..<page + 1)[0] = 0 }
    }
  }

  fileprivate func take(back pointer: UnsafeMutableRawPointer) {
    idle.withLock { unsafe $0.pointers.append(pointer) }
  }
}
